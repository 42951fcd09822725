import Foundation
import Saifu
import SaifuTestSupport

/// A process that begins, opens a wallet that has signed up and has a code in hand. `Tests/ColdStart` is that process: it is
/// told this in its one argument, and tells the times on its stdout.
public struct ColdStart: Codable, Sendable {
    private let offsetMs: Int64
    private let host: URL
    private let vault: URL
    private let issuer: Sandbox
    /// The moment before the process.
    private var started = Moment()

    /// How long each part took, milliseconds: `load_ms` from the begin of `main` to the end of the first call into the library,
    /// which the system has loaded before; `open_ms`; `code_ms`; `all_ms` from the moment before the process to the code in
    /// hand.
    public typealias Times = [String: Double]

    init(offsetMs: Int64, host: URL, vault: URL, issuer: Sandbox) {
        (self.offsetMs, self.host, self.vault, self.issuer) = (offsetMs, host, vault, issuer)
    }

    /// Starts the process and waits for it. Blocks.
    func inNewProcess() throws -> Times {
        let (process, answer) = (Process(), Pipe())
        // Beside the program of the tests.
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.executableURL = tests.deletingLastPathComponent().appendingPathComponent("ColdStart")
        process.standardOutput = answer
        var start = self
        start.started = Moment()
        process.arguments = [String(decoding: try JSONEncoder().encode(start), as: UTF8.self)]
        try process.run()
        let told = answer.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return try JSONDecoder().decode(Times.self, from: told)
    }

    /// The main function of that process.
    public static func main(_ argument: String) throws -> Times {
        let main = Moment()
        _ = version()
        let loaded = Moment()
        let start = try JSONDecoder().decode(ColdStart.self, from: Data(argument.utf8))
        let clock = ShiftedClock()
        clock.offsetMs = start.offsetMs
        let host = try TestHost(folder: start.host, clock: clock)
        let config = start.issuer.config(folder: start.vault)
        let ready = Moment()
        let wallet = try Wallet.open(keys: host, secrets: host, clock: host, config: config)
        let opened = Moment()
        _ = try wallet.account().totp()
        let inHand = Moment()
        return [
            "load_ms": loaded.ms(since: main), "open_ms": opened.ms(since: ready), "code_ms": inHand.ms(since: opened),
            "all_ms": inHand.ms(since: start.started),
        ]
    }
}

/// A moment of the machine's clock, the same in every process.
struct Moment: Codable, Sendable {
    private let ns: UInt64

    /// Now.
    init() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        ns = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    func ms(since earlier: Moment) -> Double { Double(ns - earlier.ns) / 1_000_000 }
}
