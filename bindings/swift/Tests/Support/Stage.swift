import Foundation
import Saifu
import SaifuTestSupport

/// A world with wallets in it: each persona has a host and a wallet of its own, in the world's folder.
public final class Stage {
    public let world: World
    /// The issuer as `sandbox.json` has it.
    public let told: Json
    public let issuer: Sandbox
    public let folder: URL
    private(set) var people: [String: Person] = [:]
    /// Wallets that were killed in the middle of a call, which still waits for the issuer.
    var ghosts: [Wallet] = []

    init(world: World, told: Json, folder: URL) throws {
        (self.world, self.told, self.folder) = (world, told, folder)
        issuer = try Sandbox(Data(told.canonical.utf8))
    }

    /// A persona with a wallet that nobody has signed up in, open unless told. Takes the place of one of that name.
    @discardableResult
    public func add(_ name: String, number: String, open: Bool = true) async throws -> Person {
        let folder = folder.appendingPathComponent("wallets").appendingPathComponent("\(name)-\(number)")
        let host = TroubledHost(try TestHost(folder: folder.appendingPathComponent("host"), clock: world.clock))
        let vault = folder.appendingPathComponent("vault")
        let person = Person(world: world, number: number, host: host, issuer: issuer, vault: vault)
        people[name] = person
        if open { try await person.open() }
        return person
    }

    func person(_ name: String?) throws -> Person {
        guard let name, let person = people[name] else { throw Broken("no persona is \(name ?? "nobody")") }
        return person
    }

    /// Closes every wallet and ends the world. Ghosts come last: without an issuer nothing of theirs waits any more.
    public func leave<Outcome>(_ end: () async throws -> Outcome) async rethrows -> Outcome {
        for person in people.values { await person.wallet?.close() }
        people = [:]
        do {
            let outcome = try await end()
            await bury()
            return outcome
        } catch {
            await bury()
            throw error
        }
    }

    private func bury() async {
        for ghost in ghosts { await ghost.close() }
        ghosts = []
    }

    /// Leaves; the books must balance.
    public func end() async throws {
        let audit = try await leave { try await world.end() }
        guard audit["ok"] == true else { throw Broken("the books do not balance: \(audit)") }
    }
}

/// A persona with its wallet.
public final class Person {
    private let world: World
    public let number: String
    public let host: TroubledHost
    private let issuer: Sandbox
    /// The wallet's folder.
    private var vault: URL
    /// `nil` while it is killed.
    public private(set) var wallet: Wallet?
    var events: AsyncStream<WalletEvent>?
    /// How many vaults this person has had.
    private var vaults = 1

    init(world: World, number: String, host: TroubledHost, issuer: Sandbox, vault: URL) {
        (self.world, self.number, self.host, self.issuer, self.vault) = (world, number, host, issuer, vault)
    }

    /// Opens the wallet of its folder.
    public func open() async throws {
        guard wallet == nil else { throw Broken("the wallet is open") }
        wallet = try await Wallet.open(
            keys: host, secrets: host, clock: host, config: issuer.config(folder: vault))
    }

    /// The same over an issuer that nobody has started.
    public func openWithoutIssuer() async throws -> Wallet {
        guard wallet == nil else { throw Broken("the wallet is open") }
        let told = issuer.config(folder: vault)
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
        events = nil
        await (try opened).close()
        wallet = nil
    }

    /// Has new processes open it, one after the other; it must be killed.
    public func startCold(_ times: Int) async throws -> [ColdStart.Times] {
        guard wallet == nil, let home = host.inner.folder else { throw Broken("the wallet is open; kill it first") }
        let start = ColdStart(offsetMs: world.clock.offsetMs, host: home, vault: vault, issuer: issuer)
        return try await withCheckedThrowingContinuation { done in
            DispatchQueue.global().async {
                done.resume(with: Result { try (0..<times).map { _ in try start.inNewProcess() } })
            }
        }
    }

    /// Ends it in the middle of a call. What is begun in the library goes on, so what a kill leaves at this moment is a copy
    /// of the folder: from now on that is this person's. Gives the wallet that goes on over the old folder.
    func leaveBehind() throws -> Wallet {
        let ghost = try opened
        vaults += 1
        let copy = vault.deletingLastPathComponent().appendingPathComponent("vault-\(vaults)")
        try FileManager.default.copyItem(at: vault, to: copy)
        (vault, wallet, events) = (copy, nil, nil)
        return ghost
    }

    /// Turns over all bits of the byte in the middle of a file of the vault, once more back again.
    func damage(_ file: String) throws {
        guard wallet == nil else { throw Broken("the wallet is open; kill it first") }
        let file = vault.appendingPathComponent(file)
        var bytes = try Data(contentsOf: file)
        guard !bytes.isEmpty else { throw Broken("the file is empty") }
        bytes[bytes.count / 2] ^= 0xff
        try bytes.write(to: file)
    }

    public var opened: Wallet {
        get throws {
            guard let wallet else { throw Broken("this wallet is not open; reopen it first") }
            return wallet
        }
    }

    /// Prepares and approves a top-up at an ATM.
    public func topUp(yen: Int64) async throws -> TopUp { try await (try opened).topUp(yen: yen, host) }

    /// The newest code in the persona's inbox.
    public func code() async throws -> String {
        let inbox = try await world.perform("sandbox.sms", as: "owner", number: number)
        guard let code = inbox["messages"]?.list?.reversed().compactMap({ $0["code"]?.text }).first
        else { throw Broken("there is no code in the inbox") }
        return code
    }

    /// Signs up, and asks the issuer once.
    public func signUp() async throws {
        let account = (try opened).account()
        _ = try await account.signUp(number: number)
        _ = try await account.confirm(code: try await code())
        _ = try await (try opened).refresh()
    }

    /// Brings the approved cash to an ATM.
    public func deposit(_ topUp: TopUp) async throws {
        let totp = try (try opened).account().totp()
        let cash: [String: Json] = [
            "number": .maybe(topUp.number), "totp": .text(totp.code), "yen": .whole(topUp.yen),
        ]
        let answer = try await world.perform("atm.deposit", cash)
        guard answer["result"] == "approved" else { throw Refusal(answer) }
    }
}

extension Wallet {
    /// Prepares and approves a top-up at an ATM, with a while between the two.
    func topUp(
        yen: Int64, _ host: TroubledHost, thinking: @Sendable () async throws -> Void = {}
    ) async throws -> TopUp {
        let approval = try await topUps().prepareAtm(yen: yen)
        try await thinking()
        return try await approval.confirm(signature: try host.authorize(approval.signingBytes()))
    }

    /// Locks and unlocks, so that a session has to be made again, with the device key.
    public func forgetSession() async throws {
        try lock()
        try await unlock()
    }
}
