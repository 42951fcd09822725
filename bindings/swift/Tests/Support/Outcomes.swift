import Foundation
import Saifu

/// What each outcome of a wallet is as a document of a scenario.

/// Somebody refused: the document says who and why.
struct Refusal: Error {
    let document: Json

    /// One that the library tells in another way.
    init(_ code: String, _ title: String, detail: String? = nil) {
        document = [
            "error": .text(code), "title": .text(title), "detail": .maybe(detail), "rule": nil, "retry_after_ms": nil,
        ]
    }
}

extension HostError {
    /// By its stable word.
    init?(word: String) {
        guard let error = [HostError.Temporary, .UserDeclined, .NoScreenLock, .Gone].first(where: { $0.word == word })
        else { return nil }
        self = error
    }

    /// The stable word.
    var word: String {
        switch self {
        case .Temporary: "temporary"
        case .UserDeclined: "user-declined"
        case .NoScreenLock: "no-screen-lock"
        case .Gone: "gone"
        case .Unexpected: "unexpected"
        }
    }
}

extension WalletError {
    /// As a scenario expects it: the issuer's own code where it refused.
    var outcome: Json {
        [
            "error": .text(info.problem ?? info.name), "title": .text(info.sentence), "detail": .maybe(info.detail),
            "rule": .maybe(info.rule), "retry_after_ms": .maybe(info.retryAfter),
        ]
    }
}

/// The stable word of a case: `topUp` is `top-up`.
func kebab(_ value: some Any) -> String {
    String(describing: value).reduce(into: "") { word, letter in
        word += letter.isUppercase ? "-" + letter.lowercased() : String(letter)
    }
}

func list(_ entries: [Json]) -> Json { ["count": .number(entries.count), "entries": .list(entries)] }

func json(_ home: HomeScreen) -> Json {
    [
        "state": .text(kebab(home.state)), "standing": .maybe(home.standing.map { kebab($0) }),
        "balance_yen": .maybe(home.balanceYen), "balance_reason": .maybe(home.balanceReason),
        "as_of": .maybe(home.asOf), "age_ms": .maybe(home.age), "points": .maybe(home.points),
        "notices": .list(home.notices.map(json)), "frozen": .flag(home.frozen), "device_id": .maybe(home.deviceId),
        "top_up_left_yen": .maybe(home.topUpLeftYen), "pay_left_yen": .maybe(home.payLeftYen),
        "last_event": .number(home.lastEvent), "way_out": .text(home.wayOut), "put_aside": .maybe(home.putAside),
        "trust": .text(kebab(home.trust)), "history_incomplete": .flag(home.historyIncomplete),
        "following": .text(name(home.following)),
    ]
}

private func name(_ following: Following) -> String {
    switch following {
    case .off: "off"
    case .connecting: "connecting"
    case .connected: "connected"
    case .waiting: "waiting"
    case .ended: "ended"
    }
}

func json(_ notice: Notice) -> Json {
    [
        "number": .number(notice.number), "at": .time(notice.at), "kind": .text(kebab(notice.kind)),
        "text": .text(notice.text),
    ]
}

func json(_ code: PaymentCode) -> Json {
    [
        "digits": .text(code.digits), "purpose": .text(kebab(code.purpose)), "cap_yen": .whole(code.capYen),
        "offline": .flag(code.offline), "issued_at": .time(code.issuedAt), "refresh_at": .time(code.refreshAt),
        "expires_at": .time(code.expiresAt),
    ]
}

func json(_ topUp: TopUp) -> Json {
    [
        "intent": .text(topUp.intent), "number": .maybe(topUp.number), "state": .text(kebab(topUp.state)),
        "yen": .whole(topUp.yen), "since": .time(topUp.since), "expires_at": .time(topUp.expiresAt),
    ]
}

func json(_ pending: PendingEntry) -> Json {
    let kind =
        switch pending.what {
        case .signUp: "sign-up"
        case .unknown: "unknown"
        case .accepted(detail: .topUp): "top-up"
        }
    let topUp = pending.topUp
    return [
        "id": .text(pending.id), "kind": .text(kind), "yen": .maybe(topUp?.yen), "number": .maybe(topUp?.number),
        "since": .time(pending.since), "ends_by": .time(pending.endsBy), "next": .text(pending.next),
    ]
}

extension PendingEntry {
    /// The top-up that this is about.
    public var topUp: (yen: Int64, number: Sensitive?)? {
        switch what {
        case .signUp: nil
        case .unknown(detail: .topUp(_, let yen, let number)), .accepted(detail: .topUp(_, let yen, let number)):
            (yen, number)
        }
    }
}

func json(_ entry: HistoryEntry) -> Json {
    [
        "id": .text(entry.id), "number": .number(entry.number), "at": .time(entry.at),
        "kind": .text(kebab(entry.kind)), "yen": .whole(entry.yen), "points": .whole(entry.points),
        "merchant": .maybe(entry.merchant),
        "state": .text(kebab(entry.state)), "original": .maybe(entry.original), "intent": .maybe(entry.intent),
    ]
}

func json(_ event: WalletEvent) -> Json {
    let (number, at, balance, points): (Int64, Date, Int64, Int64)
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
    fields["at"] = .time(at)
    fields["balance_yen"] = .whole(balance)
    fields["points"] = .whole(points)
    return .object(fields)
}
