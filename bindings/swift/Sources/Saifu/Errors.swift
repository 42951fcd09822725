import Foundation
import SaifuGenerated

extension WalletError: LocalizedError {
    /// What is known of it, whichever it is: `info.sentence` says what happened and `info.next` what the user can do.
    public var info: ErrorInfo {
        switch self {
        case .Offline(let info), .NoAnswer(let info), .Refused(let info), .NotSignedUp(let info),
            .AlreadySignedUp(let info), .NotActivated(let info), .InvalidInput(let info), .ApprovalExpired(let info),
            .Key(let info), .Vault(let info), .Locked(let info), .WrongClock(let info), .Untrusted(let info),
            .Bug(let info), .Cancelled(let info):
            info
        }
    }

    /// The sentence: `localizedDescription` is it, too.
    public var errorDescription: String? { info.sentence }

    /// What the user can do next.
    public var recoverySuggestion: String? { info.next }
}
