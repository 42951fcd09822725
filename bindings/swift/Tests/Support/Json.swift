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

    /// As one line.
    public var line: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
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
}

extension Json: CustomStringConvertible {
    public var description: String { line }
}
