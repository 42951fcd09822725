import Foundation
import Saifu

// The parts of a `FakeWallet`. None has anything of the library behind it.

final class FakeSubscription: Subscription, @unchecked Sendable {
    private let end: Locked<(@Sendable () -> Void)?>

    init(_ end: @escaping @Sendable () -> Void) {
        self.end = Locked(end)
        super.init(noHandle: .init())
    }

    @available(*, unavailable)
    required init(unsafeFromHandle handle: UInt64) { fatalError("a fake has no handle") }

    override func cancel() {
        end.with { end in
            defer { end = nil }
            return end
        }?()
    }

    override func isCancelled() -> Bool { end.now == nil }
}

final class FakeAccount: Account, @unchecked Sendable {
    private let wallet: FakeWallet

    init(_ wallet: FakeWallet) {
        self.wallet = wallet
        super.init(noHandle: .init())
    }

    @available(*, unavailable)
    required init(unsafeFromHandle handle: UInt64) { fatalError("a fake has no handle") }

    override func signUp(number: String, cancel: Cancel?) async throws -> SignUpScreen {
        try wallet.asked("signUp")
        let (end, again) = (Date(timeIntervalSinceNow: 600), Date(timeIntervalSinceNow: 60))
        let screen = SignUpScreen(
            number: Sensitive(number), expiresAt: end, resendAt: again, expiresIn: 600, resendIn: 60)
        wallet.change {
            $0.signUp = screen
            $0.home = FakeWallet.emptyHome(.signingUp)
        }
        return screen
    }

    override func signUpInProgress() throws -> SignUpScreen? { wallet.script.signUp }

    override func confirm(code: String, cancel: Cancel?) async throws -> String {
        try wallet.asked("confirm")
        guard code == wallet.script.smsCode else {
            throw WalletError.Refused(info: FakeWallet.info(3, "refused", "That code is wrong.", problem: "wrong-code"))
        }
        wallet.change {
            $0.signUp = nil
            $0.home = FakeWallet.emptyHome(.ready)
        }
        return "device"
    }

    override func totp() throws -> TotpCode { wallet.script.totp }
}

final class FakeTopUps: TopUps, @unchecked Sendable {
    private let wallet: FakeWallet

    init(_ wallet: FakeWallet) {
        self.wallet = wallet
        super.init(noHandle: .init())
    }

    @available(*, unavailable)
    required init(unsafeFromHandle handle: UInt64) { fatalError("a fake has no handle") }

    override func prepareAtm(yen: Int64, cancel: Cancel?) async throws -> Approval {
        try wallet.asked("prepareAtm")
        return FakeApproval(wallet, yen)
    }

    override func pending() throws -> [PendingEntry] { wallet.script.pending }
}

final class FakeApproval: Approval, @unchecked Sendable {
    private let wallet: FakeWallet
    private let yen: Int64
    private let key = UUID().uuidString
    private let until = Date(timeIntervalSinceNow: 900)

    init(_ wallet: FakeWallet, _ yen: Int64) {
        (self.wallet, self.yen) = (wallet, yen)
        super.init(noHandle: .init())
    }

    @available(*, unavailable)
    required init(unsafeFromHandle handle: UInt64) { fatalError("a fake has no handle") }

    override func text() -> String { "Top up ¥\(yen)" }
    override func signingBytes() -> Data { Data(key.utf8) }
    override func intent() -> String { key }
    override func expiresAt() -> Date { until }

    override func confirm(signature: Data, cancel: Cancel?) async throws -> TopUp {
        try wallet.asked("confirmTopUp")
        let (number, now) = (Sensitive("123456789012"), Date())
        let entry = PendingEntry(
            id: key, what: .accepted(detail: .topUp(channel: .atm, yen: yen, number: number)), since: now,
            endsBy: until, next: "Type the number at an ATM.")
        wallet.change { $0.pending.append(entry) }
        return TopUp(intent: key, state: .awaitingCash, yen: yen, number: number, since: now, expiresAt: until)
    }
}

final class FakeCodes: Codes, @unchecked Sendable {
    private let wallet: FakeWallet

    init(_ wallet: FakeWallet) {
        self.wallet = wallet
        super.init(noHandle: .init())
    }

    @available(*, unavailable)
    required init(unsafeFromHandle handle: UInt64) { fatalError("a fake has no handle") }

    override func current(purpose: Purpose) throws -> PaymentCode? {
        wallet.script.code.flatMap { $0.purpose == purpose ? $0 : nil }
    }

    override func next(purpose: Purpose, cancel: Cancel?) async throws -> PaymentCode {
        try wallet.asked("next")
        let dot = Symbol(width: 1, height: 1, quietZone: 0, modules: SensitiveBytes(Data([1])))
        let code = PaymentCode(
            digits: Sensitive(String(repeating: "0", count: 24)), purpose: purpose, capYen: 100_000, offline: false,
            issuedAt: Date(), refreshAt: Date(timeIntervalSinceNow: 240), expiresAt: Date(timeIntervalSinceNow: 300),
            refreshIn: 240, fetchNext: false, trust: .full, barcode: dot, qr: dot)
        wallet.change { $0.code = code }
        return code
    }
}

final class FakeHistory: History, @unchecked Sendable {
    private let wallet: FakeWallet

    init(_ wallet: FakeWallet) {
        self.wallet = wallet
        super.init(noHandle: .init())
    }

    @available(*, unavailable)
    required init(unsafeFromHandle handle: UInt64) { fatalError("a fake has no handle") }

    override func newest(limit: Int32, cancel: Cancel?) async throws -> HistoryScreen {
        let script = wallet.script
        return HistoryScreen(
            entries: Array(script.entries.prefix(Int(limit))), incomplete: script.home.historyIncomplete)
    }
}
