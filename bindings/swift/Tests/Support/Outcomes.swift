import Foundation
import Saifu

/// What each outcome of a wallet is as a document of a scenario.

/// Somebody refused: the document says who and why.
struct Refusal: Error {
    let document: Json

    /// One that the library tells in another way.
    init(_ code: String, _ title: String, detail: String? = nil) {
        document = [
            "error": .text(code), "title": .text(title), "detail": json(detail), "rule": nil, "retry_after_ms": nil,
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
            "error": .text(info.problem ?? info.name), "title": .text(info.sentence), "detail": json(info.detail),
            "rule": json(info.rule), "retry_after_ms": json(info.retryAfter),
        ]
    }
}

/// A JSON value of what the bindings give: a record is an object, its fields named as scenarios name them, a case without its
/// values a text.
public func json<Value>(_ value: Value) -> Json {
    switch value {
    case let text as String: return .text(text)
    // What a record does not print.
    case let secret as Sensitive: return .text(secret.expose())
    case let flag as Bool: return .flag(flag)
    case let number as Int64: return .whole(number)
    case let number as Int: return .whole(Int64(number))
    // Times and spans are milliseconds.
    case let at as Date: return .whole(Int64((at.timeIntervalSince1970 * 1000).rounded()))
    case let span as TimeInterval: return .whole(Int64((span * 1000).rounded()))
    case let list as [Any]: return .list(list.map { json($0) })
    default:
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional: return mirror.children.first.map { json($0.value) } ?? .null
        case .enum: return .text(kind(value))
        default: return .object(fields(value))
        }
    }
}

/// What a record holds, by the names that scenarios have for it.
func fields(_ record: Any) -> [String: Json] {
    let named = Mirror(reflecting: record).children.map { child in
        let isSpan = child.value is TimeInterval || type(of: child.value) == TimeInterval?.self
        return (words(child.label ?? "", "_") + (isSpan ? "_ms" : ""), json(child.value))
    }
    return Dictionary(uniqueKeysWithValues: named)
}

/// Which of its cases a value is: `topUpExpired(…)` is `top-up-expired`.
func kind(_ value: Any) -> String { words(String(String(describing: value).prefix { $0 != "(" }), "-") }

private func words(_ name: String, _ between: String) -> String {
    name.reduce(into: "") { words, letter in
        words += letter.isUppercase ? between + letter.lowercased() : String(letter)
    }
}

func list(_ entries: [Json]) -> Json { ["count": json(entries.count), "entries": .list(entries)] }

func json(_ code: PaymentCode) -> Json {
    .object(fields(code).filter { !["trust", "barcode", "qr"].contains($0.key) })
}

func json(_ pending: PendingEntry) -> Json {
    var document = fields(pending)
    document["what"] = nil
    if case .accepted(let detail) = pending.what {
        document["kind"] = .text(kind(detail))
    } else {
        document["kind"] = .text(kind(pending.what))
    }
    let topUp = pending.topUp
    (document["yen"], document["number"]) = (json(topUp?.yen), json(topUp?.number))
    return .object(document)
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

func json(_ event: WalletEvent) -> Json {
    var document = Mirror(reflecting: event).children.first.map { fields($0.value) } ?? [:]
    document["kind"] = .text(kind(event))
    return .object(document)
}
