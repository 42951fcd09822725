import Foundation

/// The test or the machine is at fault.
public struct Broken: Error, CustomStringConvertible {
    public let description: String
    public init(_ why: String) { description = why }
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
