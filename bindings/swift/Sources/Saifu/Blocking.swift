import Foundation
import SaifuGenerated

/// Runs something that blocks on a thread that may block: never the main thread, nor one of Swift's own few.
private func offTheCooperativeThreads<Outcome: Sendable>(
    _ work: @escaping @Sendable () throws -> Outcome
) async throws -> Outcome {
    try await withCheckedThrowingContinuation { done in
        DispatchQueue.global(qos: .userInitiated).async { done.resume(with: Result(catching: work)) }
    }
}

extension Wallet {
    /// Opens the wallet in a folder: reads one small file and asks the host for one unsealing. No network.
    public static func open(
        keys: any Keys, secrets: any Secrets, clock: any Clock, config: Config
    ) async throws -> Wallet {
        try await offTheCooperativeThreads {
            try Wallet.open(keys: keys, secrets: secrets, clock: clock, config: config)
        }
    }

    /// Reads the files again after `lock()`. Fine to repeat.
    public func unlock() async throws {
        try await offTheCooperativeThreads { try self.unlock() }
    }

    /// From now on, an answer is waited for so many seconds at each try; ten unless said otherwise.
    public func setPatience(_ seconds: TimeInterval) throws {
        let ms = seconds * 1_000
        try setPatience(ms: ms < 0 ? -1 : Int64(exactly: ms.rounded()) ?? .max)
    }
}

/// Has the owner agree, and signs with the authorization key.
public protocol Approver: Sendable {
    /// Shows `text` beside the prompt and signs `message` once the owner agrees; throws `HostError.UserDeclined` if not.
    ///
    /// It may block for as long as the prompt stands: it is called on a thread that may, never on the main thread.
    func approve(_ message: Data, text: String) throws -> Data
}

extension Approval {
    /// Has the owner approve it, and sends it. Works once. Waiting ends with the task; what was sent then stands in
    /// `TopUps.pending()`.
    public func confirm(by approver: some Approver) async throws -> TopUp {
        let (message, text) = (signingBytes(), text())
        let signature = try await offTheCooperativeThreads { try approver.approve(message, text: text) }
        return try await confirm(signature: signature)
    }
}
