import Foundation
import Saifu

/// A wallet for the tests of a screen, without a phone or an issuer. It answers with what stands in `script`, which a test
/// sets; what was called stands in `calls`.
public final class FakeWallet: Wallet, @unchecked Sendable {
    /// What a fake wallet answers.
    public struct Script: Sendable {
        public var home: HomeScreen
        /// What calls that would ask the issuer throw.
        public var failure: WalletError?
        /// The SMS code that opens the account.
        public var smsCode = "123456"
        public var signUp: SignUpScreen?
        /// The code in hand.
        public var code: PaymentCode?
        public var totp = TotpCode(code: Sensitive("123456"), validUntil: .distantFuture, validFor: 30, trust: .full)
        public var pending: [PendingEntry] = []
        public var entries: [HistoryEntry] = []
        /// Whether the wish to follow stands.
        var wished = false
    }

    private let state: Locked<Script>
    private let made = Locked<[String]>([])
    private let observers = Locked<[any Observer]>([])

    public init(home: HomeScreen = FakeWallet.emptyHome(.noAccount)) {
        state = Locked(Script(home: home))
        super.init(noHandle: .init())
    }

    @available(*, unavailable)
    public required init(unsafeFromHandle handle: UInt64) { fatalError("a fake has no handle") }

    /// What it answers from now on.
    public var script: Script {
        get { state.now }
        set { state.with { $0 = newValue } }
    }

    /// The names of the calls that were made, in their order.
    public var calls: [String] { made.now }

    /// Tells `event` to everybody who listens.
    public func tell(_ event: WalletEvent) {
        for observer in observers.now { try? observer.onEvent(event: event) }
    }

    /// Shows on the home screen how the following stands, and tells everybody who listens.
    public func tell(_ following: Following) {
        change { $0.home = $0.home.following(following) }
        for observer in observers.now { try? observer.onFollowing(following: following) }
    }

    /// The home screen of a wallet that knows nothing yet, or its balance alone.
    public static func emptyHome(_ state: WalletState, balanceYen: Int64? = nil) -> HomeScreen {
        HomeScreen(
            state: state, wayOut: wayOut(state), putAside: nil, deviceId: nil, standing: nil, balanceYen: balanceYen,
            balanceReason: balanceYen == nil ? "nothing is known yet" : nil,
            asOf: nil, age: nil, points: nil, frozen: false, topUpLeftYen: nil, payLeftYen: nil, notices: [],
            lastEvent: 0, historyIncomplete: false, trust: .full, following: .off,
            pay: offer(state), topUp: offer(state), totp: offer(state))
    }

    private static func offer(_ state: WalletState) -> Offer {
        switch state {
        case .ready: .open
        case .locked: .locked
        default: .noAccount
        }
    }

    /// The library's words for what leads on.
    private static func wayOut(_ state: WalletState) -> String {
        switch state {
        case .noAccount: "Sign up with your phone number."
        case .signingUp: "Enter the code from the SMS, or sign up again."
        case .ready: "Nothing is in the way."
        case .putAside: "Sign up again with your phone number: the same phone gets its account back."
        case .locked: "Unlock the wallet."
        }
    }

    /// What a wallet without a network says.
    public static let offline = WalletError.Offline(
        info: info(1, "offline", "The issuer cannot be reached.", problem: nil))

    static func info(_ code: Int32, _ name: String, _ sentence: String, problem: String?) -> ErrorInfo {
        ErrorInfo(
            code: code, name: name, sentence: sentence, next: "Try again.", detail: nil, problem: problem, rule: nil,
            retryAfter: nil)
    }

    func note(_ call: String) { made.with { $0.append(call) } }

    func asked(_ call: String) throws {
        note(call)
        if let failure = script.failure { throw failure }
    }

    func change(_ change: (inout Script) -> Void) { state.with { change(&$0) } }

    override public func account() -> Account { FakeAccount(self) }
    override public func topUps() -> TopUps { FakeTopUps(self) }
    override public func codes() -> Codes { FakeCodes(self) }
    override public func history() -> History { FakeHistory(self) }
    override public func home() throws -> HomeScreen { script.home }

    override public func refresh(cancel: Cancel?) async throws -> HomeScreen {
        try asked("refresh")
        return script.home
    }

    override public func follow() throws {
        note("follow")
        switch script.home.state {
        case .ready: break
        case .locked: throw WalletError.Locked(info: Self.info(11, "locked", "The wallet is locked.", problem: nil))
        default:
            throw WalletError.NotSignedUp(
                info: Self.info(4, "not-signed-up", "This wallet has no account yet.", problem: nil))
        }
        change { $0.wished = true }
        connect()
    }

    /// What a wish to follow comes to: events, or, with a `failure`, waiting for another try.
    private func connect() {
        let failure = script.failure
        tell(
            failure.map { .waiting(why: $0.info.name, nextTryAt: Date(timeIntervalSinceNow: 1)) }
                ?? .connected(since: Date()))
    }

    override public func followed(cancel: Cancel?) async throws {
        note("followed")
        for await following in try followings() {
            if case .connected = following { return }
        }
        throw WalletError.Cancelled(info: Self.info(14, "cancelled", "The call was cancelled.", problem: nil))
    }

    override public func reset(insist: Bool, cancel: Cancel?) async throws {
        note("reset")
        let unknown = script.pending.contains { if case .unknown = $0.what { true } else { false } }
        if unknown && !insist {
            throw WalletError.InvalidInput(
                info: Self.info(
                    7, "invalid-input", "It is not known yet what became of a top-up.", problem: nil))
        }
        change {
            ($0.wished, $0.signUp, $0.code, $0.pending, $0.entries) = (false, nil, nil, [], [])
            $0.home = Self.emptyHome(.noAccount)
        }
        tell(.off)
    }

    override public func subscribe(observer: any Observer) throws -> Subscription {
        observers.with { $0.append(observer) }
        try? observer.onFollowing(following: script.home.following)
        return FakeSubscription { [observers] in
            observers.with { $0.removeAll { $0 === observer } }
            try? observer.onEnd()
        }
    }

    override public func lock() throws {
        note("lock")
        change { $0.home = Self.emptyHome(.locked) }
        tell(.off)
    }

    override public func unlock() throws {
        note("unlock")
        guard script.home.state == .locked else { return }
        change { $0.home = Self.emptyHome(.ready) }
        if script.wished { connect() }
    }

    override public func setPatience(ms: Int64) throws { note("setPatience") }

    override public func close() async {
        note("close")
        for observer in observers.now { try? observer.onEnd() }
        observers.with { $0 = [] }
    }
}

extension HomeScreen {
    fileprivate func following(_ following: Following) -> HomeScreen {
        HomeScreen(
            state: state, wayOut: wayOut, putAside: putAside, deviceId: deviceId, standing: standing,
            balanceYen: balanceYen, balanceReason: balanceReason, asOf: asOf, age: age, points: points, frozen: frozen,
            topUpLeftYen: topUpLeftYen, payLeftYen: payLeftYen, notices: notices, lastEvent: lastEvent,
            historyIncomplete: historyIncomplete, trust: trust, following: following,
            pay: pay, topUp: topUp, totp: totp)
    }
}
