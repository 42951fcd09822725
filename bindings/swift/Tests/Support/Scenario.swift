import Foundation

/// One thing the system does, as `docs/scenarios.md` defines it: read by the world's table of verbs, everything else refused.
public struct Scenario: Sendable {
    public let name: String
    let personas: [String: Persona]
    let policy: Json
    let steps: [Step]
    /// The whole file, keys sorted, no blanks: what the hash is made of.
    public let canonical: String

    struct Persona: Sendable {
        let number: String
        let signedUp: Bool
        let balanceYen: Int64?
    }

    struct Step: Sendable {
        let verb: Verb
        /// The persona or the terminal, if somebody does it.
        let who: String?
        let arguments: [String: Json]
        let expect: [String: Expectation]
        let save: [String: String]
        let withinSeconds: Int64?
    }

    /// What is wrong with a file, and where.
    public struct Malformed: Error, CustomStringConvertible {
        public let path: String
        public let what: String
        public var description: String { "\(path): \(what)" }
    }

    /// Reads a file. Throws `Malformed` for the first thing that is not as the format says.
    public init(_ file: Data, verbs: Verbs) throws {
        let json: Json
        do {
            json = try Json.read(file)
        } catch {
            throw Malformed(path: "$", what: "this is no JSON")
        }
        let fields = try Self.object(json, "$")
        try Self.only(fields, ["$schema", "name", "shows", "personas", "policy", "steps"], "$")
        name = try Self.text(fields, "name", "$")
        guard Self.isName(name) else { throw Malformed(path: "$.name", what: "it is no name") }
        guard !(try Self.text(fields, "shows", "$")).isEmpty
        else { throw Malformed(path: "$.shows", what: "say what it shows") }
        if let schema = fields["$schema"], schema.text == nil {
            throw Malformed(path: "$.$schema", what: "a text is needed")
        }
        policy = fields["policy"] ?? .object([:])
        // What is in it, the issuer judges at the beginning.
        _ = try Self.object(policy, "$.policy")
        personas = try Self.personas(try Self.needed(fields, "personas", "$"))
        guard let rows = try Self.needed(fields, "steps", "$").list, !rows.isEmpty
        else { throw Malformed(path: "$.steps", what: "a list of steps is needed") }
        var (saved, steps): (Set<String>, [Step]) = ([], [])
        for (index, row) in rows.enumerated() {
            let step = try Self.step(row, "$.steps[\(index)]", personas, saved, verbs)
            saved.formUnion(step.save.keys)
            steps.append(step)
        }
        self.steps = steps
        canonical = json.canonical
    }

    private static func personas(_ json: Json) throws -> [String: Persona] {
        var personas: [String: Persona] = [:]
        for (name, value) in try object(json, "$.personas") {
            let path = "$.personas.\(name)"
            guard isName(name) else { throw Malformed(path: path, what: "it is no name") }
            let fields = try object(value, path)
            try only(fields, ["number", "state", "balance_yen"], path)
            guard fields["state"] == nil || ["new", "starter"].contains(fields["state"]?.text)
            else { throw Malformed(path: "\(path).state", what: "`new` or `starter` is needed") }
            let signedUp = fields["state"]?.text == "starter"
            if let balance = fields["balance_yen"] {
                guard signedUp, (balance.whole ?? 0) >= 1
                else { throw Malformed(path: "\(path).balance_yen", what: "a starter's whole number from 1 on") }
            }
            personas[name] = Persona(
                number: try text(fields, "number", path), signedUp: signedUp, balanceYen: fields["balance_yen"]?.whole)
        }
        return personas
    }

    private static func step(
        _ json: Json, _ path: String, _ personas: [String: Persona], _ saved: Set<String>, _ verbs: Verbs
    ) throws -> Step {
        let fields = try object(json, path)
        let name = try text(fields, "do", path)
        guard let verb = verbs[name] else { throw Malformed(path: "\(path).do", what: "no verb is `\(name)`") }
        try only(fields, ["do", "as", "expect", "save", "within"] + verb.arguments.map(\.name), path)
        let who = try verb.actor(fields["as"], "\(path).as", personas.keys)
        var arguments: [String: Json] = [:]
        for argument in verb.arguments {
            guard let value = fields[argument.name] else {
                if argument.required { throw Malformed(path: "\(path).\(argument.name)", what: "it is missing") }
                continue
            }
            guard argument.takes(value)
            else { throw Malformed(path: "\(path).\(argument.name)", what: "\(argument.kind) is needed") }
            arguments[argument.name] = value
        }
        var (expect, save): ([String: Expectation], [String: String]) = ([:], [:])
        for (field, value) in try object(fields["expect"] ?? .object([:]), "\(path).expect") {
            guard verb.gives(field), let expectation = Expectation(value)
            else { throw Malformed(path: "\(path).expect.\(field)", what: "not given, or no expectation: \(value)") }
            expect[field] = expectation
        }
        for (name, value) in try object(fields["save"] ?? .object([:]), "\(path).save") {
            guard isName(name), let field = value.text, verb.gives(field)
            else { throw Malformed(path: "\(path).save.\(name)", what: "a name and the path of a value are needed") }
            save[name] = field
        }
        let used = arguments.values + expect.values.flatMap(\.values)
        for name in used.flatMap(Reference.names) where !saved.contains(name) {
            throw Malformed(path: path, what: "`\(name)` is not saved by an earlier step")
        }
        var within: Int64?
        if let value = fields["within"] {
            within = value.text.flatMap(Span.seconds)
            guard verb.reads, within != nil
            else { throw Malformed(path: "\(path).within", what: "a span, for a verb that reads, is needed") }
        }
        return Step(verb: verb, who: who, arguments: arguments, expect: expect, save: save, withinSeconds: within)
    }

    private static func object(_ value: Json, _ path: String) throws -> [String: Json] {
        guard let fields = value.object else { throw Malformed(path: path, what: "an object is needed") }
        return fields
    }

    private static func only(_ fields: [String: Json], _ known: [String], _ path: String) throws {
        for field in fields.keys.sorted() where !known.contains(field) {
            throw Malformed(path: "\(path).\(field)", what: "it is not known here")
        }
    }

    private static func needed(_ fields: [String: Json], _ name: String, _ path: String) throws -> Json {
        guard let value = fields[name] else { throw Malformed(path: "\(path).\(name)", what: "it is missing") }
        return value
    }

    private static func text(_ fields: [String: Json], _ name: String, _ path: String) throws -> String {
        guard let text = try needed(fields, name, path).text
        else { throw Malformed(path: "\(path).\(name)", what: "a text is needed") }
        return text
    }

    private static func isName(_ text: String) -> Bool { text.wholeMatch(of: /[a-z][a-z0-9-]*/) != nil }
}

/// The table of verbs, as the world tells it.
public struct Verbs: Sendable {
    private let rows: [String: Verb]

    public init(_ json: Json) throws {
        struct Table: Decodable {
            let verbs: [Verb]
            let refusal: [String]
        }
        let table = try JSONDecoder().decode(Table.self, from: Data(json.canonical.utf8))
        rows = Dictionary(
            uniqueKeysWithValues: table.verbs.map { verb in
                var verb = verb
                verb.refusal = table.refusal
                return (verb.name, verb)
            })
    }

    subscript(name: String) -> Verb? { rows[name] }

    /// Those that a runner does with wallets of its own.
    var ofWallets: [String] { rows.keys.filter { $0.hasPrefix("wallet.") }.sorted() }
}

struct Verb: Decodable, Sendable {
    let name: String
    private let actor: String
    private let `default`: String?
    let arguments: [Argument]
    private let gives: [String]
    let reads: Bool
    fileprivate(set) var refusal: [String] = []

    private enum CodingKeys: CodingKey { case name, actor, `default`, arguments, gives, reads }

    struct Argument: Decodable, Sendable {
        let name: String
        let kind: String
        let values: [String]?
        let required: Bool

        func takes(_ value: Json) -> Bool {
            switch kind {
            case "text": value.text != nil
            case "number": (value.whole ?? 0) >= 1 || value.text.map(Reference.isOne) == true
            case "flag": value.flag != nil
            case "span": value.text.flatMap(Span.seconds) != nil
            case "one-of": value.text.map { values?.contains($0) == true } == true
            default: false
            }
        }
    }

    /// Whether a path begins with a field that this verb gives, or a refusal.
    func gives(_ path: String) -> Bool {
        let field = String(path.prefix { $0 != "." })
        return gives.contains(field) || refusal.contains(field)
    }

    /// Who does it, by what `as` says.
    func actor(_ named: Json?, _ path: String, _ personas: some Collection<String>) throws -> String? {
        let wrong = { (what: String) in Scenario.Malformed(path: path, what: what) }
        if let named, named.text == nil { throw wrong("a name is needed") }
        switch (actor, named?.text, `default`) {
        case ("persona", let name?, _) where personas.contains(name): return name
        case ("persona", _, _): throw wrong("a persona is needed")
        case ("terminal", let name, let usual?):
            let kind = usual.prefix { $0 != "-" }
            guard name?.hasPrefix(kind) ?? true else { throw wrong("it is no \(kind)") }
            return name ?? usual
        case ("nobody", nil, _): return nil
        default: throw wrong("nobody does `\(name)`")
        }
    }
}

extension Scenario {
    /// SHA-256, in hexadecimal, over the sorted canonical texts, a line each: equal in every language that read the same.
    public static func hash(_ scenarios: [Scenario]) -> String {
        let texts = scenarios.map(\.canonical).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return Digest.sha256(Data(texts.joined(separator: "\n").utf8)).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}
