import Foundation
import Saifu
import SaifuTestSupport

/// A `saifu sandbox` with a folder of its own, and what the command does to it.
public final class Issuer: @unchecked Sendable {
    public let folder: URL
    /// What the issuer says of itself.
    public let file: URL
    /// Everybody's clock; it moves when the issuer's does.
    public let clock = ShiftedClock()
    private let process: Process
    private let told: Pipe

    /// Starts it; it answers when this returns.
    public init(policy: Json) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("saifu-swift-\(UUID())")
        file = folder.appendingPathComponent("sandbox/sandbox.json")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let limits = folder.appendingPathComponent("policy.json")
        try Data(policy.line.utf8).write(to: limits)
        let data = file.deletingLastPathComponent().path
        (process, told) = Self.command(folder, file, ["sandbox", "--data", data, "--policy", limits.path])
        try process.run()
        guard !told.fileHandleForReading.availableData.isEmpty else { throw Broken("the sandbox did not start") }
    }

    /// Moves every clock ahead.
    public func advance(seconds: Int64) async throws {
        clock.offsetMs = try await saifu(["sandbox", "clock", "+\(seconds)s"])["offset_ms"]?.whole ?? 0
    }

    /// Brings the cash of a top-up to an ATM.
    public func deposit(_ number: Sensitive?, _ wallet: Wallet, yen: Int64) async throws {
        let totp = try wallet.account().totp().code.expose()
        let cash = ["--number", number?.expose() ?? "", "--totp", totp, "--yen", "\(yen)"]
        let answer = try await saifu(["atm", "deposit"] + cash)
        guard answer["result"] == "approved" else { throw Broken("the ATM: \(answer)") }
    }

    /// The newest code that arrived at a number.
    public func code(_ number: String) async throws -> String {
        let inbox = try await saifu(["sandbox", "sms", "--number", number])
        guard let code = inbox["messages"]?.list?.reversed().compactMap({ $0["code"]?.text }).first
        else { throw Broken("there is no code in the inbox") }
        return code
    }

    /// What the terminals were told must be what the ledger says.
    public func balance() async throws {
        let day = try await saifu(["sandbox", "event", "day-end", "--because", "requested"])
        guard day["day_end"]?["ok"] == true else { throw Broken("the books do not balance: \(day)") }
    }

    /// Ends it. The folder goes.
    public func end() async {
        await Self.blocking {
            // It may have inherited that it hears no other signal. Its stdout ends with it.
            kill(self.process.processIdentifier, SIGKILL)
            _ = self.told.fileHandleForReading.readDataToEndOfFile()
        }
        try? FileManager.default.removeItem(at: folder)
    }

    /// The command's document. Its end is that of its stdout: Foundation may wait for ever for that of a process.
    private func saifu(_ words: [String]) async throws -> Json {
        try await Self.blocking {
            Swift.Result {
                let (process, told) = Self.command(self.folder, self.file, words)
                try process.run()
                let document = try Json.read(told.fileHandleForReading.readDataToEndOfFile())
                guard document["error"] == nil else { throw Broken("\(words): \(document)") }
                return document
            }
        }.get()
    }

    private static func command(_ folder: URL, _ file: URL, _ words: [String]) -> (Process, Pipe) {
        let (process, told) = (Process(), Pipe())
        process.executableURL = Place.program
        process.arguments = ["--json"] + words
        let named = ["SAIFU_HOME": folder.path, "SAIFU_SANDBOX": file.path]
        process.environment = ProcessInfo.processInfo.environment.merging(named) { _, new in new }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = told
        process.standardError = FileHandle.nullDevice
        return (process, told)
    }

    /// Waits on a thread that no task needs.
    private static func blocking<Outcome: Sendable>(_ work: @escaping @Sendable () -> Outcome) async -> Outcome {
        await withCheckedContinuation { done in DispatchQueue.global().async { done.resume(returning: work()) } }
    }
}
