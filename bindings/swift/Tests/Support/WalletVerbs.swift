import Foundation
import Saifu
import SaifuTestSupport

/// What each `wallet.` verb of a scenario does through the bindings, and the document it gives.
extension Stage {
    /// Does one step of a wallet. Throws `Refusal` for what somebody refused, `Broken` for what could not be done.
    func performWallet(_ verb: String, as who: String?, _ arguments: [String: Json]) async throws -> Json {
        do {
            return try await walletOutcome(verb, try person(who), arguments)
        } catch let error as WalletError {
            throw Refusal(error.outcome)
        } catch let error as HostError {
            // The owner's own signature, which the library never asks for.
            throw Refusal("key", "The phone's key store: \(error.word).", detail: error.word)
        }
    }

    private func walletOutcome(_ verb: String, _ person: Person, _ arguments: [String: Json]) async throws -> Json {
        switch verb {
        case "wallet.reopen":
            try await person.open()
            return ["state": .text(kebab(try person.opened.home().state))]
        case "wallet.damage":
            try person.damage("journal")
            return ["file": "journal"]
        case "wallet.key-fails":
            let (how, times) = (arguments["how"]?.text ?? "", arguments["times"]?.whole ?? 1)
            guard let error = HostError(word: how) else { throw Broken("no key fails like `\(how)`") }
            person.host.failSignatures(error, times: times)
            return ["how": .text(how), "times": .whole(times)]
        default: break
        }
        let wallet = try person.opened
        switch verb {
        case "wallet.home": return json(try wallet.home())
        case "wallet.refresh": return json(try await wallet.refresh())
        case "wallet.pending": return list(try wallet.topUps().pending().map(json))
        case "wallet.history": return list(try await wallet.history().newest(limit: .max).entries.map(json))
        case "wallet.totp":
            let totp = try wallet.account().totp()
            return [
                "code": .text(totp.code), "valid_until": .time(totp.validUntil), "trust": .text(kebab(totp.trust)),
            ]
        case "wallet.follow":
            let events = try wallet.events()
            try wallet.follow()
            try await wallet.followed()
            // The history is filled beside it, and what is filled belongs to this step.
            for _ in 0..<Self.filledLooks where try wallet.home().historyIncomplete {
                try await Task.sleep(for: .milliseconds(5))
            }
            person.events = events
            return ["following": true]
        case "wallet.next-event": return json(try await nextEvent(person, arguments["kind"]?.text))
        case "wallet.patience":
            let ms = try whole("ms", arguments)
            try wallet.setPatience(TimeInterval(ms) / 1000)
            return ["ms": .whole(ms)]
        case "wallet.kill":
            try await person.kill()
            return ["state": "killed"]
        case "wallet.lock":
            try wallet.lock()
            return ["state": "locked"]
        case "wallet.unlock":
            try await wallet.unlock()
            return ["state": .text(kebab(try wallet.home().state))]
        default:
            let call = try await call(verb, person, wallet, arguments)
            return arguments["killed"] == true ? try await killed(person, in: call) : try await call()
        }
    }

    /// A call to the issuer that can be in the middle of it when the wallet is killed.
    private typealias Call = @Sendable () async throws -> Json

    private func call(
        _ verb: String, _ person: Person, _ wallet: Wallet, _ arguments: [String: Json]
    ) async throws -> Call {
        let (number, host, world) = (person.number, person.host, world)
        switch verb {
        case "wallet.sign-up":
            return {
                let screen = try await wallet.account().signUp(number: number)
                return [
                    "number": .text(screen.number), "expires_at": .time(screen.expiresAt),
                    "resend_at": .time(screen.resendAt),
                ]
            }
        case "wallet.confirm":
            let newest = arguments["code"] == nil ? try await person.code() : nil
            let code = newest ?? arguments["code"].map { $0.text ?? $0.canonical } ?? ""
            return {
                guard try wallet.account().signUpInProgress() != nil
                else { throw Refusal("no-sign-up", "No sign-up waits for a code here.") }
                return ["device_id": .text(try await wallet.account().confirm(code: code))]
            }
        case "wallet.code":
            let purpose = arguments["purpose"] == "cash-in" ? Purpose.cashIn : .pay
            let codes = wallet.codes()
            guard arguments["offline"] == true else { return { json(try await codes.next(purpose: purpose)) } }
            return {
                guard let inHand = try codes.current(purpose: purpose)
                else { throw Refusal("no-code", "There is no payment code in hand.") }
                return json(inHand)
            }
        case "wallet.top-up":
            let yen = try whole("yen", arguments)
            let thinking = arguments["thinking"]?.text.flatMap(Span.seconds)
            return {
                let topUp = try await wallet.topUp(yen: yen, host) {
                    if let thinking { try await world.advance(seconds: thinking) }
                }
                return json(topUp)
            }
        default: throw Broken("the runner does not know \(verb)")
        }
    }

    /// Kills the wallet as soon as the issuer holds a request of the call.
    private func killed(_ person: Person, in call: @escaping Call) async throws -> Json {
        // What goes on in the library waits as long as there is an issuer, and never asks it again.
        try person.opened.setPatience(600)
        let ended = Locked(false)
        let waiting = Task {
            defer { ended.with { $0 = true } }
            return try await call()
        }
        // Of the waiting only: what the library has begun goes on.
        defer { waiting.cancel() }
        while true {
            let over = ended.now
            if try await world.perform("sandbox.held")["held"] != 0 { break }
            guard !over else { throw Broken("the call ended before the issuer held it") }
            try await Task.sleep(for: .milliseconds(5))
        }
        ghosts.append(try person.leaveBehind())
        return ["state": "killed"]
    }

    private func whole(_ name: String, _ arguments: [String: Json]) throws -> Int64 {
        guard let number = arguments[name]?.whole, number > 0 else { throw Broken("`\(name)` is no number") }
        return number
    }

    /// How often it is looked, every 5 ms, whether the history is filled after the connection.
    private static let filledLooks = 1_000

    /// How long the machine may take to bring an event that is on its way.
    private static let eventSeconds: Int64 = 20

    private func nextEvent(_ person: Person, _ kind: String?) async throws -> WalletEvent {
        guard let events = person.events else { throw Broken("nobody follows any events") }
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
