import SaifuGenerated

extension Wallet {
    /// What happens to the account, from now on. Events come while the wallet follows (`follow()`).
    ///
    /// The stream ends when the wallet is closed, or when nobody waits for it any more: its task was cancelled, or the
    /// stream and its iterators were let go. A reader that is slow skips the oldest of more than `keeping` events; what
    /// they changed is in `home()` and `history()`.
    public func events(keeping: Int = 256) throws -> AsyncStream<WalletEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: WalletEvent.self, bufferingPolicy: .bufferingNewest(keeping))
        let subscription = try subscribe(observer: Forwarder(continuation))
        continuation.onTermination = { _ in subscription.cancel() }
        return stream
    }
}

/// Passes events on to a stream, without waiting for its reader.
private final class Forwarder: Observer {
    private let continuation: AsyncStream<WalletEvent>.Continuation

    init(_ continuation: AsyncStream<WalletEvent>.Continuation) { self.continuation = continuation }

    func onEvent(event: WalletEvent) throws { continuation.yield(event) }

    func onEnd() throws { continuation.finish() }
}
