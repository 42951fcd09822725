import Foundation
import Saifu
import SaifuTestSupport

/// Answers what `saifu scenario run` asks, a JSON line for a JSON line, as `docs/scenarios.md` says: one phone, whose keys lie
/// in files, so that the next process finds them.
public final class ScenarioDriver {
    private let clock = ShiftedClock()
    private var phone: Phone?

    public init() {}

    /// Until stdin ends.
    public func run() async {
        while let line = readLine() {
            let answer = await answer(line).line + "\n"
            FileHandle.standardOutput.write(Data(answer.utf8))
        }
        exit(0)
    }

    private func answer(_ line: String) async -> Json {
        let request = (try? Json.read(Data(line.utf8))) ?? .null
        let id = request["id"] ?? .null
        do {
            let outcome = try await outcome(request["verb"]?.text ?? "", request["arguments"] ?? .object([:]))
            return ["id": id, "outcome": outcome]
        } catch let error as WalletError {
            return ["id": id, "error": error.outcome]
        } catch let error as HostError {
            // The owner's own signature, which the library never asks for.
            let refusal = Refusal("key", "The phone's key store: \(error.word).", detail: error.word)
            return ["id": id, "error": refusal.document]
        } catch let refusal as Refusal {
            return ["id": id, "error": refusal.document]
        } catch {
            return ["id": id, "broken": .text(String(describing: error))]
        }
    }

    private func outcome(_ verb: String, _ arguments: Json) async throws -> Json {
        switch verb {
        case "driver.clock":
            set(arguments)
            return [:]
        case "wallet.open":
            set(arguments["clock"] ?? .null)
            let opened = try await Phone(arguments, clock)
            phone = opened
            return ["state": json(try opened.wallet.home().state)]
        default:
            guard let phone else { throw Broken("no wallet is open here") }
            return try await phone.perform(verb, arguments)
        }
    }

    private func set(_ told: Json) {
        clock.offsetMs = told["offset_ms"]?.whole ?? 0
        clock.heldAtMs = told["held_at"]?.whole
    }
}

/// A wallet over its host.
private final class Phone {
    let wallet: Wallet
    private let host: TroubledHost
    /// What comes since the wallet follows.
    private var events: AsyncStream<WalletEvent>?
    /// A top-up that waits for its owner.
    private var approval: Approval?

    init(_ told: Json, _ clock: ShiftedClock) async throws {
        guard let path = told["folder"]?.text, let issuer = told["issuer"] else { throw Broken("`folder`, `issuer`") }
        let folder = URL(fileURLWithPath: path)
        host = TroubledHost(try TestHost(folder: folder.appendingPathComponent("host"), clock: clock))
        let config = try Sandbox(Data(issuer.line.utf8)).config(folder: folder.appendingPathComponent("vault"))
        wallet = try await Wallet.open(keys: host, secrets: host, clock: host, config: config)
    }

    func perform(_ verb: String, _ arguments: Json) async throws -> Json {
        switch verb {
        case "wallet.sign-up":
            return json(try await wallet.account().signUp(number: try text("number", arguments)))
        case "wallet.confirm":
            let account = wallet.account()
            guard try account.signUpInProgress() != nil
            else { throw Refusal("no-sign-up", "No sign-up waits for a code here.") }
            return ["device_id": .text(try await account.confirm(code: try text("code", arguments)))]
        case "wallet.home": return json(try wallet.home())
        case "wallet.refresh": return json(try await wallet.refresh())
        case "wallet.code": return try await code(arguments)
        case "wallet.prepare-top-up":
            approval = try await wallet.topUps().prepareAtm(yen: try whole("yen", arguments))
            return [:]
        case "wallet.approve-top-up":
            guard let waiting = approval else { throw Broken("no top-up waits for its owner") }
            approval = nil
            return json(try await waiting.confirm(signature: try host.authorize(waiting.signingBytes())))
        case "wallet.pending": return list(try wallet.topUps().pending().map { json($0) })
        case "wallet.history": return list(try await wallet.history().newest(limit: .max).entries.map { json($0) })
        case "wallet.totp": return json(try wallet.account().totp())
        case "wallet.follow":
            let stream = try wallet.events()
            try wallet.follow()
            try await wallet.followed()
            // The history is filled beside it, and what is filled belongs to this step.
            for _ in 0..<Self.filledLooks where try wallet.home().historyIncomplete {
                try await Task.sleep(for: .milliseconds(5))
            }
            events = stream
            return ["following": true]
        case "wallet.next-event": return json(try await nextEvent(arguments["kind"]?.text))
        case "wallet.lock":
            try wallet.lock()
            return ["state": "locked"]
        case "wallet.unlock":
            try await wallet.unlock()
            return ["state": json(try wallet.home().state)]
        case "wallet.patience":
            let ms = try whole("ms", arguments)
            try wallet.setPatience(TimeInterval(ms) / 1000)
            return ["ms": .whole(ms)]
        case "wallet.key-fails":
            let (how, times) = (try text("how", arguments), arguments["times"]?.whole ?? 1)
            guard let error = HostError(word: how) else { throw Broken("no key fails like `\(how)`") }
            host.failSignatures(error, times: times)
            return ["how": .text(how), "times": .whole(times)]
        default: throw Broken("this driver does not know \(verb)")
        }
    }

    private func code(_ arguments: Json) async throws -> Json {
        let purpose = arguments["purpose"] == "cash-in" ? Purpose.cashIn : .pay
        guard arguments["offline"] == true else { return json(try await wallet.codes().next(purpose: purpose)) }
        guard let inHand = try wallet.codes().current(purpose: purpose)
        else { throw Refusal("no-code", "There is no payment code in hand.") }
        return json(inHand)
    }

    private func text(_ name: String, _ arguments: Json) throws -> String {
        guard let text = arguments[name]?.text else { throw Broken("`\(name)` is no text") }
        return text
    }

    private func whole(_ name: String, _ arguments: Json) throws -> Int64 {
        guard let number = arguments[name]?.whole, number > 0 else { throw Broken("`\(name)` is no number") }
        return number
    }

    /// How often it is looked, every 5 ms, whether the history is filled after the connection.
    private static let filledLooks = 1_000

    /// How long the machine may take to bring an event that is on its way.
    private static let eventSeconds: Int64 = 20

    private func nextEvent(_ kind: String?) async throws -> WalletEvent {
        guard let events else { throw Broken("this wallet follows no events") }
        return try await withThrowingTaskGroup(of: WalletEvent.self) { group in
            group.addTask {
                for await event in events where kind == nil || json(event)["kind"]?.text == kind { return event }
                throw Broken("the events have ended")
            }
            group.addTask {
                try await Task.sleep(for: .seconds(Self.eventSeconds))
                throw Broken("no such event came within \(Self.eventSeconds) s")
            }
            defer { group.cancelAll() }
            return try await group.next()!
        }
    }
}
