import Dispatch
import SaifuGenerated

/// Runs something that blocks on a thread that may block: never the main thread, nor one of Swift's own few.
private func offTheMainThread<Outcome: Sendable>(
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
        try await offTheMainThread {
            try Wallet.open(keys: keys, secrets: secrets, clock: clock, config: config)
        }
    }

    /// Reads the files again after `lock()`. Fine to repeat.
    public func unlock() async throws {
        try await offTheMainThread { try self.unlock() }
    }
}
