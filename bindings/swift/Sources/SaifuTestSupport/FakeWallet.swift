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
        public var totp = TotpCode(code: Sensitive("123456"), validUntil: .distantFuture)
        public var pending: [PendingEntry] = []
        public var entries: [HistoryEntry] = []
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

    /// The home screen of a wallet that knows nothing yet.
    public static func emptyHome(_ state: WalletState) -> HomeScreen {
        HomeScreen(
            state: state, deviceId: nil, standing: nil, balanceYen: nil, balanceReason: "nothing is known yet",
            asOf: nil, age: nil, points: nil, frozen: false, topUpLeftYen: nil, payLeftYen: nil, notices: [],
            lastEvent: 0)
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

    override public func follow(cancel: Cancel?) async throws { try asked("follow") }

    override public func subscribe(observer: any Observer) throws -> Subscription {
        observers.with { $0.append(observer) }
        return FakeSubscription { [observers] in
            observers.with { $0.removeAll { $0 === observer } }
            try? observer.onEnd()
        }
    }

    override public func lock() throws {
        note("lock")
        change { $0.home = Self.emptyHome(.locked) }
    }

    override public func unlock() throws {
        note("unlock")
        change { if $0.home.state == .locked { $0.home = Self.emptyHome(.ready) } }
    }

    override public func setPatience(ms: Int64) throws { note("setPatience") }

    override public func close() async {
        note("close")
        for observer in observers.now { try? observer.onEnd() }
        observers.with { $0 = [] }
    }
}
