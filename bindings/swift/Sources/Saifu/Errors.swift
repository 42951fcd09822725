import SaifuGenerated

extension WalletError {
    /// What is known of it, whichever it is: `info.sentence` says what happened and `info.next` what the user can do;
    /// both are for showing. `localizedDescription` is for developers.
    public var info: ErrorInfo {
        switch self {
        case .Offline(let info), .NoAnswer(let info), .Refused(let info), .NotSignedUp(let info),
            .AlreadySignedUp(let info), .NotActivated(let info), .InvalidInput(let info), .ApprovalExpired(let info),
            .Key(let info), .Vault(let info), .Locked(let info), .WrongClock(let info), .Untrusted(let info),
            .Bug(let info), .Cancelled(let info):
            info
        }
    }
}
