import Foundation
import Saifu

/// What each `wallet.` verb of a scenario does through the bindings, and the document it gives.
extension Stage {
    /// Does one step of a wallet. Throws `Refusal` for what somebody refused, `Broken` for what could not be done.
    func performWallet(_ verb: String, as who: String?, _ arguments: [String: Json]) async throws -> Json {
        do {
            return try await walletOutcome(verb, try person(who), arguments)
        } catch let error as WalletError {
            throw Refusal(error.outcome)
        }
    }

    private func walletOutcome(_ verb: String, _ person: Person, _ arguments: [String: Json]) async throws -> Json {
        if verb == "wallet.reopen" {
            try await person.open()
            return ["state": .text(kebab(try person.opened.home().state))]
        }
        let wallet = try person.opened
        switch verb {
        case "wallet.sign-up":
            let screen = try await wallet.account().signUp(number: person.number)
            return [
                "number": .text(screen.number), "expires_at": .number(screen.expiresAt),
                "resend_at": .number(screen.resendAt),
            ]
        case "wallet.confirm":
            let newest = arguments["code"] == nil ? try await person.code() : nil
            let code = newest ?? arguments["code"].map { $0.text ?? $0.canonical } ?? ""
            guard try wallet.account().signUpInProgress() != nil
            else { throw refusal("no-sign-up", "No sign-up waits for a code here.") }
            return ["device_id": .text(try await wallet.account().confirm(code: code))]
        case "wallet.home": return json(try wallet.home())
        case "wallet.refresh": return json(try await wallet.refresh())
        case "wallet.code":
            let purpose = arguments["purpose"] == "cash-in" ? Purpose.cashIn : .pay
            let codes = wallet.codes()
            guard arguments["offline"] == true else { return json(try await codes.next(purpose: purpose)) }
            guard let inHand = try codes.current(purpose: purpose)
            else { throw refusal("no-code", "There is no payment code in hand.") }
            return json(inHand)
        case "wallet.top-up": return try await topUp(person, arguments)
        case "wallet.pending": return list(try wallet.topUps().pending().map(json))
        case "wallet.history": return list(try await wallet.history().newest(limit: .max).map(json))
        case "wallet.totp":
            let totp = try wallet.account().totp()
            return ["code": .text(totp.code), "valid_until": .number(totp.validUntil)]
        case "wallet.follow":
            let events = try wallet.events()
            try await wallet.follow()
            person.events = events
            return ["following": true]
        case "wallet.next-event": return json(try await nextEvent(person, arguments["kind"]?.text))
        case "wallet.kill":
            try await person.kill()
            return ["state": "killed"]
        case "wallet.lock":
            try wallet.lock()
            return ["state": "locked"]
        case "wallet.unlock":
            try await wallet.unlock()
            return ["state": .text(kebab(try wallet.home().state))]
        default: throw Broken("the runner does not know \(verb)")
        }
    }

    private func topUp(_ person: Person, _ arguments: [String: Json]) async throws -> Json {
        guard let yen = arguments["yen"]?.whole else { throw Broken("`yen` is no number") }
        let thinking = arguments["thinking"]?.text.flatMap(Span.seconds)
        let topUp = try await person.topUp(yen: yen) {
            if let thinking { try await self.world.advance(seconds: thinking) }
        }
        return [
            "intent": .text(topUp.intent), "number": .maybe(topUp.number), "state": .text(kebab(topUp.state)),
            "yen": .whole(topUp.yen), "since": .number(topUp.since), "expires_at": .number(topUp.expiresAt),
        ]
    }

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

/// A refusal that the library tells in another way.
private func refusal(_ code: String, _ title: String) -> Refusal {
    Refusal(["error": .text(code), "title": .text(title), "detail": nil, "rule": nil, "retry_after_ms": nil])
}

extension WalletError {
    /// As a scenario expects it: the issuer's own code where it refused.
    var outcome: Json {
        [
            "error": .text(info.problem ?? info.name), "title": .text(info.sentence), "detail": .maybe(info.detail),
            "rule": .maybe(info.rule), "retry_after_ms": .maybe(info.retryAfterMs),
        ]
    }
}

/// The stable word of a case: `topUp` is `top-up`.
func kebab(_ value: some Any) -> String {
    String(describing: value).reduce(into: "") { word, letter in
        word += letter.isUppercase ? "-" + letter.lowercased() : String(letter)
    }
}

private func list(_ entries: [Json]) -> Json { ["count": .number(entries.count), "entries": .list(entries)] }

private func json(_ home: HomeScreen) -> Json {
    [
        "state": .text(kebab(home.state)), "standing": .maybe(home.standing.map { kebab($0) }),
        "balance_yen": .maybe(home.balanceYen), "balance_reason": .maybe(home.balanceReason),
        "as_of": .maybe(home.asOf), "age_ms": .maybe(home.ageMs), "points": .maybe(home.points),
        "notices": .list(home.notices.map(json)), "frozen": .flag(home.frozen), "device_id": .maybe(home.deviceId),
        "top_up_left_yen": .maybe(home.topUpLeftYen), "pay_left_yen": .maybe(home.payLeftYen),
        "last_event": .number(home.lastEvent),
    ]
}

private func json(_ notice: Notice) -> Json {
    [
        "number": .number(notice.number), "at": .number(notice.at), "kind": .text(kebab(notice.kind)),
        "text": .text(notice.text),
    ]
}

private func json(_ code: PaymentCode) -> Json {
    [
        "digits": .text(code.digits), "purpose": .text(kebab(code.purpose)), "cap_yen": .whole(code.capYen),
        "offline": .flag(code.offline), "issued_at": .number(code.issuedAt), "refresh_at": .number(code.refreshAt),
        "expires_at": .number(code.expiresAt),
    ]
}

private func json(_ pending: PendingEntry) -> Json {
    [
        "id": .text(pending.id), "kind": .text(kebab(pending.kind)), "yen": .maybe(pending.yen),
        "number": .maybe(pending.number), "since": .number(pending.since), "ends_by": .number(pending.endsBy),
        "next": .text(pending.next),
    ]
}

private func json(_ entry: HistoryEntry) -> Json {
    [
        "id": .text(entry.id), "number": .number(entry.number), "at": .number(entry.at),
        "kind": .text(kebab(entry.kind)), "yen": .whole(entry.yen), "points": .whole(entry.points),
        "merchant": .maybe(entry.merchant),
        "state": "done", "original": .maybe(entry.original), "intent": .maybe(entry.intent),
    ]
}

private func json(_ event: WalletEvent) -> Json {
    let (number, at, balance, points): (UInt64, UInt64, Int64, Int64)
    var fields: [String: Json]
    switch event {
    case .entry(let n, let a, let b, let p, let entry):
        (number, at, balance, points) = (n, a, b, p)
        fields = ["kind": "entry", "entry": json(entry)]
    case .declined(let n, let a, let b, let p, let reason, let yen, let merchant):
        (number, at, balance, points) = (n, a, b, p)
        fields = ["kind": "declined", "reason": .text(reason), "yen": .whole(yen), "merchant": .text(merchant)]
    case .topUpExpired(let n, let a, let b, let p, let intent):
        (number, at, balance, points) = (n, a, b, p)
        fields = ["kind": "top-up-expired", "intent": .text(intent)]
    case .notice(let n, let a, let b, let p, let notice, let text):
        (number, at, balance, points) = (n, a, b, p)
        fields = ["kind": "notice", "notice": .text(kebab(notice)), "text": .text(text)]
    case .other(let n, let a, let b, let p):
        (number, at, balance, points) = (n, a, b, p)
        fields = ["kind": "other"]
    }
    fields["number"] = .number(number)
    fields["at"] = .number(at)
    fields["balance_yen"] = .whole(balance)
    fields["points"] = .whole(points)
    return .object(fields)
}
