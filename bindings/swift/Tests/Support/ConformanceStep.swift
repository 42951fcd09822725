import Foundation

/// One step of a conformance file, everything in it understood.
struct ConformanceStep {
    let verb: String
    let arguments: [String: Json]
    let expect: [String: Json]
    let save: String?
    /// The rule, or the verb of a step that has none: what a finding says.
    let shows: String

    /// Verbs with their arguments.
    private static let verbs: [String: [String]] = [
        "keys.create": ["role"], "keys.info": ["role"], "keys.sign": ["message"], "keys.delete": ["role"],
        "authorize": ["message"], "verify": ["key", "message", "signature"],
        "secrets.id": [], "secrets.renew": [], "secrets.retire": [], "secrets.seal": ["plain"],
        "secrets.unseal": ["sealed"], "secrets.unseal-damaged": ["sealed"],
        "clock.read": ["times"], "pause": ["ms"], "reopen": [],
    ]

    /// Whether a value is one that the argument or the expectation can have.
    private static let fits: [String: @Sendable (Json) -> Bool] = [
        "role": { ["device", "authorization"].contains($0.text) },
        "message": { (try? bytes($0)) != nil },
        "plain": { (try? bytes($0)) != nil },
        "key": { $0.text != nil }, "signature": { $0.text != nil }, "sealed": { $0.text != nil },
        "times": { ($0.whole ?? 0) >= 1 }, "ms": { ($0.whole ?? 0) >= 1 },
        "error": { ["temporary", "user-declined", "no-screen-lock", "gone", "unexpected"].contains($0.text) },
        "same": { $0.text != nil }, "differs": { $0.text != nil }, "follows": { $0.text != nil },
        "boot": { $0.text != nil }, "valid": { $0.flag != nil },
        "none": { $0 == true }, "random_install": { $0 == true }, "rising": { $0 == true },
        "bytes": { (try? bytes($0)) != nil }, "lacks": { (try? bytes($0)) != nil },
        "opened": { ($0.whole ?? -1) >= 0 },
        "wall_ms": { isRange($0, ["from", "below"]) },
        "elapsed_ms": { isRange($0, ["since", "from", "below"]) && $0["since"]?.text != nil },
    ]
    private static let expectations: Set = [
        "error", "same", "differs", "follows", "boot", "valid", "none", "random_install", "rising", "bytes", "lacks",
        "opened", "wall_ms", "elapsed_ms",
    ]

    /// The steps of a file. Throws `Broken` for what the format does not have.
    static func read(_ file: Data) throws -> [ConformanceStep] {
        let json = try Json.read(file)
        guard let fields = json.object, Set(fields.keys) == ["about", "steps"], fields["about"]?.text != nil,
            let steps = fields["steps"]?.list
        else { throw Broken("a file is {about, steps}") }
        return try steps.enumerated().map { number, step in
            do {
                return try ConformanceStep(step)
            } catch let broken as Broken {
                throw Broken("step \(number + 1): \(broken)")
            }
        }
    }

    private init(_ step: Json) throws {
        guard var fields = step.object, let verb = fields.removeValue(forKey: "do")?.text, let known = Self.verbs[verb]
        else { throw Broken("no verb: \(step)") }
        let (expected, rule) = (fields.removeValue(forKey: "expect"), fields.removeValue(forKey: "rule"))
        let name = fields.removeValue(forKey: "save")
        guard rule == nil || rule?.text != nil, name == nil || name?.text != nil
        else { throw Broken("`rule` and `save` are texts") }
        for (field, value) in fields where !known.contains(field) || Self.fits[field]?(value) != true {
            throw Broken("\(verb) does not take \(field): \(value)")
        }
        for field in known where fields[field] == nil && field != "times" { throw Broken("\(verb) needs \(field)") }
        if let expected {
            guard let all = expected.object, !all.isEmpty, rule != nil else { throw Broken("expectations and a rule") }
            guard all["error"] == nil || all.count == 1 else { throw Broken("an error stands alone") }
            for (field, value) in all where !Self.expectations.contains(field) || Self.fits[field]?(value) != true {
                throw Broken("no expectation is \(field): \(value)")
            }
        }
        (self.verb, arguments, expect) = (verb, fields, expected?.object ?? [:])
        (save, shows) = (name?.text, rule?.text ?? verb)
    }

    /// Bytes as a file writes them: a text, or one byte so many times.
    static func bytes(_ value: Json?) throws -> Data {
        if let text = value?.text { return Data(text.utf8) }
        guard let fields = value?.object, Set(fields.keys) == ["fill", "len"], let length = fields["len"]?.whole,
            let fill = fields["fill"]?.whole.flatMap({ UInt8(exactly: $0) }), length >= 0
        else { throw Broken("these are no bytes: \(value ?? .null)") }
        return Data(repeating: fill, count: Int(length))
    }

    private static func isRange(_ value: Json, _ names: Set<String>) -> Bool {
        guard let fields = value.object, Set(fields.keys) == names else { return false }
        return ["from", "below"].allSatisfy { (fields[$0]?.whole ?? -1) >= 0 }
    }
}
