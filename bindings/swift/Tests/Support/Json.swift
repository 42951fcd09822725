import Foundation
import Saifu

/// Any JSON value. Whole numbers stay whole, and a flag is no number.
public enum Json: Hashable, Sendable, Codable {
    case null
    case flag(Bool)
    case whole(Int64)
    case real(Double)
    case text(String)
    case list([Json])
    case object([String: Json])

    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else if let whole = try? value.decode(Int64.self) {
            self = .whole(whole)
        } else if let real = try? value.decode(Double.self) {
            self = .real(real)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([Json].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: Json].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .flag(let flag): try value.encode(flag)
        case .whole(let whole): try value.encode(whole)
        case .real(let real): try value.encode(real)
        case .text(let text): try value.encode(text)
        case .list(let list): try value.encode(list)
        case .object(let fields): try value.encode(fields)
        }
    }

    public static func read(_ data: Data) throws -> Json {
        try JSONDecoder().decode(Json.self, from: data)
    }

    public var text: String? { if case .text(let text) = self { text } else { nil } }
    public var whole: Int64? { if case .whole(let whole) = self { whole } else { nil } }
    public var flag: Bool? { if case .flag(let flag) = self { flag } else { nil } }
    public var list: [Json]? { if case .list(let list) = self { list } else { nil } }
    public var object: [String: Json]? { if case .object(let fields) = self { fields } else { nil } }

    public subscript(name: String) -> Json? { object?[name] }

    /// Without blanks, keys in byte order, the shortest escapes: the same text in every language.
    public var canonical: String {
        switch self {
        case .null: return "null"
        case .flag(let flag): return flag ? "true" : "false"
        case .whole(let whole): return String(whole)
        case .real(let real): return String(real)
        case .text(let text): return Json.quoted(text)
        case .list(let items): return "[" + items.map(\.canonical).joined(separator: ",") + "]"
        case .object(let fields):
            let sorted = fields.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            return "{" + sorted.map { Json.quoted($0.key) + ":" + $0.value.canonical }.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\u{08}": quoted += "\\b"
            case "\u{0C}": quoted += "\\f"
            case ..<" ":
                quoted += "\\u" + String(repeating: "0", count: scalar.value < 16 ? 3 : 2)
                quoted += String(scalar.value, radix: 16)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension Json: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral text: String) { self = .text(text) }
    public init(integerLiteral whole: Int64) { self = .whole(whole) }
    public init(booleanLiteral flag: Bool) { self = .flag(flag) }
    public init(arrayLiteral items: Json...) { self = .list(items) }
    public init(nilLiteral: ()) { self = .null }
    public init(dictionaryLiteral fields: (String, Json)...) {
        self = .object(Dictionary(fields) { _, last in last })
    }

    /// A number that fits; the FFI has no others.
    public static func number(_ number: some BinaryInteger) -> Json { .whole(Int64(number)) }

    /// Null where there is nothing.
    public static func maybe(_ number: (some BinaryInteger)?) -> Json { number.map { .number($0) } ?? .null }

    /// Null where there is nothing.
    public static func maybe(_ text: String?) -> Json { text.map { .text($0) } ?? .null }

    /// What a record does not print.
    static func text(_ sensitive: Sensitive) -> Json { .text(sensitive.expose()) }

    static func maybe(_ sensitive: Sensitive?) -> Json { sensitive.map { .text($0) } ?? .null }

    /// A moment as scenarios have it: milliseconds since 1970.
    static func time(_ at: Date) -> Json { .whole(Int64((at.timeIntervalSince1970 * 1000).rounded())) }

    static func maybe(_ at: Date?) -> Json { at.map { .time($0) } ?? .null }

    /// A span as scenarios have it: milliseconds.
    static func maybe(_ span: TimeInterval?) -> Json { span.map { .whole(Int64(($0 * 1000).rounded())) } ?? .null }
}

extension Json: CustomStringConvertible {
    public var description: String { canonical }
}
