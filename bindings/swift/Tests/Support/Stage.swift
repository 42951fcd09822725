import Foundation
import Saifu
import SaifuTestSupport

/// A sandbox with wallets in it: each person has a host and a wallet of its own.
public final class Stage {
    public let issuer: Issuer
    private var people: [String: Person] = [:]

    public init(policy: Json) throws { issuer = try Issuer(policy: policy) }

    /// Somebody with a wallet that nobody has signed up in, open unless told. Takes the place of one of that name.
    @discardableResult
    public func add(_ name: String, number: String, open: Bool = true) async throws -> Person {
        let folder = issuer.folder.appendingPathComponent("wallets").appendingPathComponent("\(name)-\(number)")
        let host = TroubledHost(try TestHost(folder: folder.appendingPathComponent("host"), clock: issuer.clock))
        let person = try Person(issuer, number: number, host: host, vault: folder.appendingPathComponent("vault"))
        people[name] = person
        if open { try await person.open() }
        return person
    }

    /// Closes every wallet.
    public func leave() async {
        for person in people.values { await person.wallet?.close() }
        people = [:]
    }
}

/// Somebody with a wallet.
public final class Person {
    private let issuer: Issuer
    private let told: Sandbox
    public let number: String
    public let host: TroubledHost
    /// The wallet's folder.
    private let vault: URL
    /// `nil` while it is closed.
    public private(set) var wallet: Wallet?

    init(_ issuer: Issuer, number: String, host: TroubledHost, vault: URL) throws {
        (self.issuer, self.number, self.host, self.vault) = (issuer, number, host, vault)
        told = try Sandbox(file: issuer.file)
    }

    /// Opens the wallet of its folder.
    public func open() async throws {
        guard wallet == nil else { throw Broken("the wallet is open") }
        wallet = try await Wallet.open(
            keys: host, secrets: host, clock: host, config: told.config(folder: vault))
    }

    /// The same over an issuer that nobody has started.
    public func openWithoutIssuer() async throws -> Wallet {
        guard wallet == nil else { throw Broken("the wallet is open") }
        let told = told.config(folder: vault)
        let nobody = Config(
            folder: told.folder, appVersion: told.appVersion, customerUrl: "https://localhost:1",
            serviceUrl: told.serviceUrl, caPem: told.caPem, pins: told.pins, servicePins: told.servicePins,
            serviceKey: told.serviceKey, sandbox: told.sandbox)
        let opened = try await Wallet.open(keys: host, secrets: host, clock: host, config: nobody)
        wallet = opened
        return opened
    }

    /// Ends it. Everything it knows is on the disk already, so this is what a kill leaves.
    public func kill() async throws {
        await (try opened).close()
        wallet = nil
    }

    /// Has new processes open it, one after the other; it must be killed.
    public func startCold(_ times: Int) async throws -> [ColdStart.Times] {
        guard wallet == nil, let home = host.inner.folder else { throw Broken("the wallet is open; kill it first") }
        let start = ColdStart(offsetMs: issuer.clock.offsetMs, host: home, vault: vault, issuer: told)
        return try await withCheckedThrowingContinuation { done in
            DispatchQueue.global().async {
                done.resume(with: Result { try (0..<times).map { _ in try start.inNewProcess() } })
            }
        }
    }

    public var opened: Wallet {
        get throws {
            guard let wallet else { throw Broken("this wallet is not open; reopen it first") }
            return wallet
        }
    }

    /// Prepares and approves a top-up at an ATM.
    public func topUp(yen: Int64) async throws -> TopUp { try await (try opened).topUp(yen: yen, host) }

    /// The newest code in the inbox.
    public func code() async throws -> String { try await issuer.code(number) }

    /// Signs up, and asks the issuer once.
    public func signUp() async throws {
        let account = (try opened).account()
        _ = try await account.signUp(number: number)
        _ = try await account.confirm(code: try await code())
        _ = try await (try opened).refresh()
    }

    /// Brings the approved cash to an ATM.
    public func deposit(_ topUp: TopUp) async throws {
        try await issuer.deposit(topUp.number, try opened, yen: topUp.yen)
    }
}

extension Wallet {
    /// Prepares and approves a top-up at an ATM.
    func topUp(yen: Int64, _ host: TroubledHost) async throws -> TopUp {
        let approval = try await topUps().prepareAtm(yen: yen)
        return try await approval.confirm(signature: try host.authorize(approval.signingBytes()))
    }

    /// Locks and unlocks, so that a session has to be made again, with the device key.
    public func forgetSession() async throws {
        try lock()
        try await unlock()
    }
}
