import Foundation
import Saifu
import SaifuTestSupport

/// The scenario or the machine is at fault.
public struct Broken: Error, CustomStringConvertible {
    public let description: String
    public init(_ why: String) { description = why }
}

/// Somebody refused: the document says who and why.
public struct Refusal: Error {
    public let document: Json
    public init(_ document: Json) { self.document = document }
}

/// An issuer with its terminals, levers and books: `saifu scenario world` behind two pipes. One world at a time.
public final class World: @unchecked Sendable {
    private let process = Process()
    private let requests = Pipe()
    private let answers = Pipe()
    /// Requests and answers are strictly one after the other, and reading blocks.
    private let queue = DispatchQueue(label: "world")
    /// Only on the queue.
    private var read = Data()
    /// Every wallet's clock; it moves when the issuer's does.
    public let clock = ShiftedClock()

    public init() throws {
        process.executableURL = Place.program
        process.arguments = ["scenario", "world"]
        process.standardInput = requests
        process.standardOutput = answers
        // A world that has died is an error of the next request, not of the process.
        signal(SIGPIPE, SIG_IGN)
        try process.run()
    }

    /// Ends the process, which ends what it runs.
    public func close() async {
        await onQueue {
            try? self.requests.fileHandleForWriting.close()
            self.process.waitUntilExit()
        }
    }

    /// The table of verbs.
    public func verbs() async throws -> Json { try await ask(["ask": "verbs"]) }

    /// Starts an issuer with a folder of its own.
    public func begin(policy: Json = .object([:])) async throws -> Stage {
        let begun = try await ask(["ask": "begin", "policy": policy])
        clock.offsetMs = begun["offset_ms"]?.whole ?? 0
        guard let issuer = begun["issuer"], let folder = begun["folder"]?.text
        else { throw Broken("a world begins without issuer or folder: \(begun)") }
        return try Stage(world: self, told: issuer, folder: URL(fileURLWithPath: folder))
    }

    /// The books of the issuer (null while it is stopped), and its end.
    public func end(keep: Bool = false) async throws -> Json {
        try await ask(["ask": "end", "keep": .flag(keep)])["audit"] ?? .null
    }

    /// Does what is not the wallet's to do.
    @discardableResult
    public func perform(
        _ verb: String, as who: String? = nil, number: String? = nil, _ arguments: [String: Json] = [:]
    ) async throws -> Json {
        var request: [String: Json] = ["ask": "do", "verb": .text(verb), "arguments": .object(arguments)]
        request["as"] = who.map { .text($0) }
        request["number"] = number.map { .text($0) }
        let outcome = try await ask(.object(request))
        if let offset = outcome["offset_ms"]?.whole { clock.offsetMs = offset }
        return outcome
    }

    /// Moves every clock ahead.
    public func advance(seconds: Int64) async throws {
        try await perform("sandbox.clock", ["advance": .text("\(seconds)s")])
    }

    private func ask(_ request: Json) async throws -> Json {
        let answer = try await onQueue { Swift.Result { try self.exchange(request) } }.get()
        if let outcome = answer["ok"] { return outcome }
        if let document = answer["refused"] { throw Refusal(document) }
        throw Broken(answer["broken"]?.text ?? "no answer of a world: \(answer)")
    }

    private func exchange(_ request: Json) throws -> Json {
        try requests.fileHandleForWriting.write(contentsOf: Data((request.canonical + "\n").utf8))
        while true {
            if let end = read.firstIndex(of: UInt8(ascii: "\n")) {
                let line = read[read.startIndex..<end]
                read = read[(end + 1)...]
                return try Json.read(Data(line))
            }
            let more = answers.fileHandleForReading.availableData
            guard !more.isEmpty else { throw Broken("the world has ended") }
            read += more
        }
    }

    private func onQueue<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { done in queue.async { done.resume(returning: work()) } }
    }
}

/// Where the tests find what is not theirs.
public enum Place {
    /// The repository.
    public static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The `saifu` command.
    public static let program = URL(
        fileURLWithPath: ProcessInfo.processInfo.environment["SAIFU_PROGRAM"]
            ?? root.appendingPathComponent("target/debug/saifu").path)

    /// The files of a folder of the repository that end so, by name.
    public static func files(_ folder: String, _ ending: String) throws -> [URL] {
        let folder = root.appendingPathComponent(folder)
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == ending }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }
}
