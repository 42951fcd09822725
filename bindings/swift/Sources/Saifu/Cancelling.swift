import Foundation
@_exported import SaifuGenerated

/// Makes a call with a `Cancel` of its own, which is cancelled with the task that makes it: then the call ends at once with
/// `WalletError.Cancelled`, and what it had begun goes on to its recorded end.
///
/// The generated calls do not hear of `Task.cancel()`; only the handle reaches the library.
func cancelling<Outcome: Sendable>(
    isolation: isolated (any Actor)? = #isolation,
    _ call: (Cancel) async throws -> Outcome
) async throws -> Outcome {
    let cancel = Cancel()
    return try await withTaskCancellationHandler {
        try await call(cancel)
    } onCancel: {
        cancel.cancel()
    }
}

extension Wallet {
    /// Brings everything up to date: unfinished activation, intents with unknown outcome, home, history. Ends with the task.
    public func refresh() async throws -> HomeScreen {
        try await cancelling { try await refresh(cancel: $0) }
    }

    /// Returns once events come as they happen, after `follow()`; waits for as long as that takes. Ends with the task; the
    /// following goes on.
    public func followed() async throws {
        try await cancelling { try await followed(cancel: $0) }
    }

    /// Deletes everything that this wallet has on this phone, keys included, and goes on as an empty one. Ask the owner first.
    /// Refused while it is not known what became of an approved top-up, unless the owner insists. Waiting ends with the task,
    /// the work does not.
    public func reset(insist: Bool) async throws {
        try await cancelling { try await reset(insist: insist, cancel: $0) }
    }
}

extension Account {
    /// Asks for an SMS code to a Japanese mobile number, however it is written. Ends with the task.
    public func signUp(number: String) async throws -> SignUpScreen {
        try await cancelling { try await signUp(number: number, cancel: $0) }
    }

    /// Enters the code of the SMS: opens the account, activates this phone, gives the device's id. Ends with the task;
    /// repeating it gives the same answer.
    public func confirm(code: String) async throws -> String {
        try await cancelling { try await confirm(code: code, cancel: $0) }
    }
}

extension TopUps {
    /// Prepares a top-up with cash at an ATM, 1 to 9,999,999 yen. Nothing moves yet. Ends with the task.
    public func prepareAtm(yen: Int64) async throws -> Approval {
        try await cancelling { try await prepareAtm(yen: yen, cancel: $0) }
    }
}

extension Approval {
    /// Records the approval, sends it, records the answer. Works once. Waiting ends with the task, the work does not: the
    /// top-up then stands in `TopUps.pending()`.
    public func confirm(signature: Data) async throws -> TopUp {
        try await cancelling { try await confirm(signature: signature, cancel: $0) }
    }
}

extension Codes {
    /// Fetches a fresh code. Ends with the task.
    public func next(purpose: Purpose) async throws -> PaymentCode {
        try await cancelling { try await next(purpose: purpose, cancel: $0) }
    }
}

extension History {
    /// The newest entries, newest first, at most `limit`, and whether some are missing here. Works without a network. Ends
    /// with the task.
    public func newest(limit: Int) async throws -> HistoryScreen {
        try await cancelling { try await newest(limit: Int32(clamping: limit), cancel: $0) }
    }
}
