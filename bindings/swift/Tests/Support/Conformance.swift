import Foundation
import Saifu
import SaifuTestSupport

/// Plays the files of `core/host/conformance` against a host: the suite that every host must pass, in every language.
/// `FORMAT.md` beside them says what a file means.
public final class Conformance {
    /// All that a host is.
    public typealias Host = any Keys & Secrets & Clock

    /// A host that is held against the suite, and how it is brought to where the suite wants it.
    public struct Subject {
        let open: () throws -> Host
        let authorize: (Data) throws -> Data

        /// `open` gives a new object over the same storage each time; `authorize` is the shell's way to the key.
        public init(open: @escaping () throws -> Host, authorize: @escaping (Data) throws -> Data) {
            (self.open, self.authorize) = (open, authorize)
        }
    }

    private enum Given {
        case nothing
        case key(HostKey)
        case bytes(Data)
        case name(SealName?)
        case reading(before: ClockReading?, now: ClockReading)
        case valid(Bool)
        case opened(Int64)
    }

    private let subject: Subject
    private var host: Host
    private var saved: [String: Given] = [:]

    /// The findings, none if the host conforms. That a file is as the format says is seen to by Rust's interpreter; what this one
    /// does not know is `Broken`.
    public static func findings(_ file: Data, _ subject: Subject) throws -> [String] {
        let suite = Conformance(subject, try subject.open())
        var findings: [String] = []
        for step in try Json.read(file)["steps"]?.list ?? [] {
            if let finding = try suite.play(step) {
                findings.append(finding.text)
                if finding.ends { break }
            }
        }
        return findings
    }

    private init(_ subject: Subject, _ host: Host) { (self.subject, self.host) = (subject, host) }

    /// What came out otherwise than expected; whether later steps need it.
    private func play(_ step: Json) throws -> (text: String, ends: Bool)? {
        let (expect, save) = (step["expect"]?.object ?? [:], step["save"]?.text)
        let shows = (step["rule"] ?? step["do"])?.text ?? ""
        var before: ClockReading?
        var asExpected = true
        for _ in 0..<(step["times"]?.whole ?? 1) {
            let given: Given
            do {
                given = try call(step, before)
            } catch let broken as Broken {
                throw broken
            } catch {
                let name = (error as? HostError ?? .Unexpected).word
                if expect["error"] == .text(name) { return nil }
                return ("\(shows): \(name)", save != nil)
            }
            for (name, value) in expect where !(try met(name, value, given)) { asExpected = false }
            if case .reading(_, let now) = given { before = now }
            if let save { saved[save] = given }
        }
        return asExpected ? nil : (shows, false)
    }

    private func call(_ step: Json, _ before: ClockReading?) throws -> Given {
        let role = step["role"]?.text == "device" ? Role.device : .authorization
        let bytes = { (name: String) in try Self.bytes(step[name]) }
        let text = { (name: String) in try self.savedBytes(step[name]) }
        switch step["do"]?.text {
        case "keys.create": return .key(try host.create(role: role))
        case "keys.info": return .key(try host.info(role: role))
        case "keys.sign": return .bytes(try host.sign(message: bytes("message")))
        case "keys.delete": try host.delete(role: role)
        case "authorize": return .bytes(try subject.authorize(bytes("message")))
        case "verify":
            guard case .key(let key) = try given(step["key"]) else { throw Broken("`key` is no key") }
            return .valid(P256.verify(try text("signature"), of: try bytes("message"), by: key.spki))
        case "secrets.id": return .name(try host.id())
        case "secrets.renew": return .name(try host.renew())
        case "secrets.retire": try host.retire()
        case "secrets.seal": return .bytes(try host.seal(plain: bytes("plain")))
        case "secrets.unseal": return .bytes(try host.unseal(sealed: text("sealed")))
        case "secrets.unseal-damaged":
            let opened = Self.damaged(try text("sealed")).filter { (try? host.unseal(sealed: $0)) != nil }
            return .opened(Int64(opened.count))
        case "clock.read": return .reading(before: before, now: try host.read())
        case "pause": Thread.sleep(forTimeInterval: Double(step["ms"]?.whole ?? 0) / 1000)
        case "reopen": host = try subject.open()
        default: throw Broken("no verb: \(step)")
        }
        return .nothing
    }

    private func met(_ name: String, _ value: Json, _ given: Given) throws -> Bool {
        switch (name, given) {
        case ("error", _): return false
        case ("same", .key(let key)):
            guard case .key(let other) = try self.given(value) else { break }
            return key == other
        case ("same", .name(let seal)), ("follows", .name(let seal)):
            guard case .name(let other) = try self.given(value) else { break }
            if name == "same" { return seal == other }
            guard let seal, let other else { return false }
            return seal.install == other.install && seal.generation == other.generation + 1
        case ("differs", .key(let key)):
            guard case .key(let other) = try self.given(value) else { break }
            return key.spki != other.spki
        case ("differs", .bytes(let bytes)): return try bytes != savedBytes(value)
        case ("valid", .valid(let valid)): return value == .flag(valid)
        case ("opened", .opened(let count)): return value == .whole(count)
        case ("none", .name(let seal)): return seal == nil
        case ("random_install", .name(let seal)): return seal.map { $0.install != Data(count: 16) } ?? false
        case ("bytes", .bytes(let bytes)): return try bytes == Self.bytes(value)
        case ("lacks", .bytes(let bytes)): return try bytes.range(of: Self.bytes(value)) == nil
        case ("wall_ms", .reading(_, let now)):
            return Self.lies(Int64(now.wall.timeIntervalSince1970 * 1000), in: value)
        case ("elapsed_ms", .reading(_, let now)):
            let since = try reading(value["since"])
            return now.elapsedMs >= since.elapsedMs && Self.lies(now.elapsedMs - since.elapsedMs, in: value)
        case ("rising", .reading(let before, let now)): return now.elapsedMs >= before?.elapsedMs ?? 0
        case ("boot", .reading(_, let now)): return now.bootId == (try reading(value)).bootId
        default: break
        }
        throw Broken("`\(name)` does not fit what the verb gives")
    }

    /// Bytes as a file writes them: a text, or one byte so many times.
    private static func bytes(_ value: Json?) throws -> Data {
        if let text = value?.text { return Data(text.utf8) }
        guard let fill = value?["fill"]?.whole.flatMap({ UInt8(exactly: $0) }), let length = value?["len"]?.whole
        else { throw Broken("these are no bytes: \(value ?? .null)") }
        return Data(repeating: fill, count: Int(length))
    }

    private static func lies(_ value: Int64, in range: Json) -> Bool {
        guard let from = range["from"]?.whole, let below = range["below"]?.whole else { return false }
        return value >= from && value < below
    }

    private func given(_ name: Json?) throws -> Given {
        guard let name = name?.text, let given = saved[name] else { throw Broken("nothing was saved so") }
        return given
    }

    private func savedBytes(_ name: Json?) throws -> Data {
        guard case .bytes(let bytes) = try given(name) else { throw Broken("no signature or sealed text was saved so") }
        return bytes
    }

    private func reading(_ name: Json?) throws -> ClockReading {
        guard case .reading(_, let now) = try given(name) else { throw Broken("no reading was saved so") }
        return now
    }

    /// Every text with one byte changed, every proper beginning, and the text with a byte more.
    static func damaged(_ sealed: Data) -> [Data] {
        let changed = sealed.indices.map { place in
            var text = sealed
            text[place] ^= 1
            return text
        }
        return changed + sealed.indices.map { sealed[..<$0] } + [sealed + Data([0])]
    }
}
