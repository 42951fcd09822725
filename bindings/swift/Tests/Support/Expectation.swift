/// What is expected at one path.
enum Expectation: Sendable {
    /// This very text, number or flag.
    case equal(Json)
    /// A number in these bounds, both included.
    case between(least: Json?, most: Json?)
    case absent
    case null

    /// Reads it as a file says it; `nil` for what makes no sense.
    init?(_ json: Json) {
        switch json {
        case .text, .flag, .whole: self = .equal(json)
        case .object(["absent": true]): self = .absent
        case .object(["null": true]): self = .null
        case .object(let fields):
            let isBound = { (bound: Json) in bound.whole != nil || bound.text.map(Reference.isOne) == true }
            guard !fields.isEmpty, Set(fields.keys).isSubset(of: ["gte", "lte"]), fields.values.allSatisfy(isBound)
            else { return nil }
            self = .between(least: fields["gte"], most: fields["lte"])
        case .null, .real, .list: return nil
        }
    }

    /// The values in it, which may name saved ones.
    var values: [Json] {
        switch self {
        case .equal(let value): [value]
        case .between(let least, let most): [least, most].compactMap { $0 }
        case .absent, .null: []
        }
    }

    /// The same with saved values in place of their names.
    func filled(_ saved: [String: Json]) -> Expectation {
        switch self {
        case .equal(let value): .equal(Reference.fill(value, saved))
        case .between(let least, let most):
            .between(least: least.map { Reference.fill($0, saved) }, most: most.map { Reference.fill($0, saved) })
        case .absent, .null: self
        }
    }

    /// Whether what stands at the path, if anything, is as expected.
    func met(_ seen: Json?) -> Bool {
        switch self {
        case .equal(let value): return seen == value
        case .absent: return seen == nil
        case .null: return seen == .null
        case .between(let least, let most):
            guard let seen = seen?.whole else { return false }
            let atLeast = least.map { bound in bound.whole.map { seen >= $0 } ?? false } ?? true
            let atMost = most.map { bound in bound.whole.map { seen <= $0 } ?? false } ?? true
            return atLeast && atMost
        }
    }

    /// As a file says it.
    var json: Json {
        switch self {
        case .equal(let value): value
        case .absent: ["absent": true]
        case .null: ["null": true]
        case .between(let least, let most):
            .object([("gte", least), ("lte", most)].reduce(into: [:]) { $0[$1.0] = $1.1 })
        }
    }
}

/// `${name}` and `${wrong:name}` in a text stand for saved values.
enum Reference {
    private enum Piece {
        case plain(Substring)
        case saved(name: String, wrong: Bool)
    }

    /// One of them, and nothing beside it.
    static func isOne(_ text: String) -> Bool {
        if case .saved = pieces(text).first { pieces(text).count == 1 } else { false }
    }

    /// The names that a value refers to.
    static func names(_ value: Json) -> [String] {
        pieces(value.text ?? "").compactMap { if case .saved(let name, _) = $0 { name } else { nil } }
    }

    /// A text that is one name becomes the saved value itself, so a number stays a number.
    static func fill(_ value: Json, _ saved: [String: Json]) -> Json {
        guard case .text(let text) = value else { return value }
        let pieces = pieces(text)
        if pieces.count == 1, case .saved(let name, false) = pieces[0] { return saved[name] ?? .null }
        let words = pieces.map { piece in
            switch piece {
            case .plain(let text): return String(text)
            case .saved(let name, let wrong):
                let text = saved[name].map { $0.text ?? $0.canonical } ?? ""
                return wrong ? withAnotherLastDigit(text) : text
            }
        }
        return .text(words.joined())
    }

    private static func pieces(_ text: String) -> [Piece] {
        var pieces: [Piece] = []
        var rest = text[...]
        while let open = rest.range(of: "${"), let close = rest[open.upperBound...].firstIndex(of: "}") {
            if open.lowerBound > rest.startIndex { pieces.append(.plain(rest[..<open.lowerBound])) }
            let name = rest[open.upperBound..<close]
            let wrong = name.hasPrefix("wrong:")
            pieces.append(.saved(name: String(wrong ? name.dropFirst(6) : name), wrong: wrong))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { pieces.append(.plain(rest)) }
        return pieces
    }

    private static func withAnotherLastDigit(_ text: String) -> String {
        let last = text.last?.wholeNumberValue
        return text.dropLast() + (last.map { $0 < 9 ? String($0 + 1) : "0" } ?? "0")
    }
}

/// `90s`, `15m`, `72h`, `3d`.
enum Span {
    static func seconds(_ text: String) -> Int64? {
        let each: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard text.wholeMatch(of: /[1-9][0-9]*[smhd]/) != nil, let unit = text.last.flatMap({ each[$0] }),
            let count = Int64(text.dropLast())
        else { return nil }
        let (seconds, overflow) = count.multipliedReportingOverflow(by: unit)
        return overflow ? nil : seconds
    }
}
