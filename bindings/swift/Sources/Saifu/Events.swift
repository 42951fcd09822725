import SaifuGenerated

extension Wallet {
    /// What happens to the account, from now on. Events come while the wallet follows (`follow()`).
    ///
    /// The stream ends when the wallet is closed, or when nobody waits for it any more: its task was cancelled, or the
    /// stream and its iterators were let go. A reader that is slow skips the oldest of more than `keeping` events; what
    /// they changed is in `home()` and `history()`.
    public func events(keeping: Int = 256) throws -> AsyncStream<WalletEvent> {
        try heard(keeping) { Forwarder(events: $0, followings: nil) }
    }

    /// How the following stands: now, then with each change. Otherwise as `events(keeping:)`.
    public func followings(keeping: Int = 256) throws -> AsyncStream<Following> {
        try heard(keeping) { Forwarder(events: nil, followings: $0) }
    }

    private func heard<Heard>(
        _ keeping: Int, _ observer: (AsyncStream<Heard>.Continuation) -> Forwarder
    ) throws -> AsyncStream<Heard> {
        let (stream, continuation) = AsyncStream.makeStream(of: Heard.self, bufferingPolicy: .bufferingNewest(keeping))
        let subscription = try subscribe(observer: observer(continuation))
        continuation.onTermination = { _ in subscription.cancel() }
        return stream
    }
}

/// Passes what it hears on to a stream, without waiting for its reader.
private final class Forwarder: Observer {
    private let events: AsyncStream<WalletEvent>.Continuation?
    private let followings: AsyncStream<Following>.Continuation?

    init(events: AsyncStream<WalletEvent>.Continuation?, followings: AsyncStream<Following>.Continuation?) {
        (self.events, self.followings) = (events, followings)
    }

    func onEvent(event: WalletEvent) throws { events?.yield(event) }

    func onFollowing(following: Following) throws { followings?.yield(following) }

    func onEnd() throws {
        events?.finish()
        followings?.finish()
    }
}
