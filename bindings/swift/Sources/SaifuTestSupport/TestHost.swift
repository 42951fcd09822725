import Foundation
import Saifu

/// A phone's key store and clock for tests, on a Mac and on Linux: P-256 keys and AES-256-GCM secrets, kept in memory, or in a
/// file, where the next host over the same folder has them, as after a restart.
///
/// It is what an iOS app writes with the Secure Enclave and the Keychain; here the keys lie in the open, so it protects
/// nothing. The rules it keeps are those of `core/host/conformance`.
public final class TestHost: Keys, Secrets, Clock, Approver {
    /// What lies in the file.
    private struct Kept: Codable {
        var device: Data?
        var authorization: Data?
        var install: Data?
        var seals: [Seal] = []
    }

    private struct Seal: Codable {
        var generation: Int64
        var key: Data
    }

    /// Where its file is, if it has one.
    public let folder: URL?
    private let file: URL?
    private let kept: Locked<Kept>
    private let clock: ShiftedClock

    /// A host that is gone with its object.
    public init(clock: ShiftedClock = ShiftedClock()) {
        (folder, file, kept, self.clock) = (nil, nil, Locked(Kept()), clock)
    }

    /// The host whose keys lie in `folder`; made if absent.
    public init(folder: URL, clock: ShiftedClock = ShiftedClock()) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("host.json")
        (self.folder, self.file, self.clock) = (folder, file, clock)
        let old = FileManager.default.contents(atPath: file.path)
        kept = Locked(try old.map { try JSONDecoder().decode(Kept.self, from: $0) } ?? Kept())
    }

    /// Signs with the authorization key, as an app does behind its prompt.
    public func authorize(_ message: Data) throws -> Data {
        try pair(.authorization).sign(message)
    }

    /// The owner who always agrees.
    public func approve(_ message: Data, text: String) throws -> Data { try authorize(message) }

    // MARK: Keys

    public func create(role: Role) throws -> HostKey {
        try change { kept in
            if kept[keyPath: Self.slot(role)] == nil {
                kept[keyPath: Self.slot(role)] = try P256.generate().der()
            }
        }
        return try info(role: role)
    }

    public func info(role: Role) throws -> HostKey {
        HostKey(spki: try pair(role).spki(), hardware: false)
    }

    public func sign(message: Data) throws -> Data {
        try pair(.device).sign(message)
    }

    public func delete(role: Role) throws {
        try change { $0[keyPath: Self.slot(role)] = nil }
    }

    private static func slot(_ role: Role) -> WritableKeyPath<Kept, Data?> & Sendable {
        switch role {
        case .device: \.device
        case .authorization: \.authorization
        }
    }

    private func pair(_ role: Role) throws -> P256 {
        guard let der = kept.now[keyPath: Self.slot(role)] else { throw HostError.Gone }
        return try P256.read(der)
    }

    // MARK: Secrets

    /// `1 · generation u64 · nonce 12 · text and tag`; the context names installation and generation.
    public func seal(plain: Data) throws -> Data {
        let kept = kept.now
        guard let install = kept.install, let newest = kept.seals.last else { throw HostError.Gone }
        guard plain.count <= 4096 else { throw HostError.Temporary }
        let (nonce, generation) = (Self.random(12), Self.bytes(newest.generation))
        let text = try Gcm.seal(plain, key: newest.key, nonce: nonce, context: install + generation)
        return Data([1]) + generation + nonce + text
    }

    public func unseal(sealed: Data) throws -> Data {
        let sealed = [UInt8](sealed)
        let kept = kept.now
        guard sealed.count > 9 + 12, sealed[0] == 1, let install = kept.install
        else { throw HostError.Gone }
        let generation = Data(sealed[1..<9])
        guard let seal = kept.seals.first(where: { Self.bytes($0.generation) == generation })
        else { throw HostError.Gone }
        let (nonce, text) = (Data(sealed[9..<9 + 12]), Data(sealed[(9 + 12)...]))
        do {
            return try Gcm.open(text, key: seal.key, nonce: nonce, context: install + generation)
        } catch {
            throw HostError.Gone
        }
    }

    public func id() throws -> SealName? {
        let kept = kept.now
        guard let install = kept.install, let newest = kept.seals.last else { return nil }
        return SealName(install: install, generation: newest.generation)
    }

    public func renew() throws -> SealName {
        try change { kept in
            let install = kept.install ?? Self.random(16)
            let generation = (kept.seals.last?.generation ?? 0) + 1
            kept.install = install
            kept.seals.append(Seal(generation: generation, key: Self.random(32)))
            return SealName(install: install, generation: generation)
        }
    }

    public func retire() throws {
        if kept.now.seals.count > 1 {
            try change { $0.seals.removeFirst($0.seals.count - 1) }
        }
    }

    // MARK: Clock

    public func read() throws -> ClockReading { clock.reading }

    // MARK: The file

    /// Changes what is kept: on disk first.
    private func change<Result>(_ change: (inout Kept) throws -> Result) throws -> Result {
        try kept.with { kept in
            var next = kept
            let result = try change(&next)
            try write(JSONEncoder().encode(next))
            kept = next
            return result
        }
    }

    /// Durable on return: written beside, synchronised, renamed.
    private func write(_ data: Data) throws {
        guard let file else { return }
        let beside = file.appendingPathExtension("new")
        guard FileManager.default.createFile(atPath: beside.path, contents: nil) else { throw HostError.Temporary }
        let handle = try FileHandle(forWritingTo: beside)
        try handle.write(contentsOf: data)
        try handle.synchronize()
        try handle.close()
        guard rename(beside.path, file.path) == 0 else { throw HostError.Temporary }
    }

    private static func random(_ count: Int) -> Data {
        var system = SystemRandomNumberGenerator()
        return Data((0..<count).map { _ in UInt8.random(in: 0...255, using: &system) })
    }

    private static func bytes(_ number: Int64) -> Data {
        withUnsafeBytes(of: number.bigEndian) { Data($0) }
    }
}

/// The machine's clocks, moved ahead together. Every wallet of a scenario has the same one.
public final class ShiftedClock: Sendable {
    private let offset = Locked<Int64>(0)
    private let held = Locked<Int64?>(nil)
    private let boot: Data

    public init() {
        // On a Mac every process is a boot of its own.
        let text = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") ?? Data()
        let name = UUID(uuidString: String(decoding: text, as: UTF8.self).trimmingCharacters(in: .newlines))
        boot = withUnsafeBytes(of: (name ?? UUID()).uuid) { Data($0) }
    }

    /// Milliseconds ahead of the machine.
    public var offsetMs: Int64 {
        get { offset.now }
        set { offset.with { $0 = newValue } }
    }

    /// The wall time at which all of it stands still, milliseconds since 1970; `nil` while it runs.
    public var heldAtMs: Int64? {
        get { held.now }
        set { held.with { $0 = newValue } }
    }

    public var reading: ClockReading {
        let now = Date()
        let ahead = heldAtMs.map { $0 - Int64(now.timeIntervalSince1970 * 1000) } ?? offsetMs
        // Both count sleep too.
        #if os(Linux)
            let clock = CLOCK_BOOTTIME
        #else
            let clock = CLOCK_MONOTONIC
        #endif
        var time = timespec()
        clock_gettime(clock, &time)
        return ClockReading(
            wall: now.addingTimeInterval(TimeInterval(ahead) / 1000),
            elapsedMs: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000 + ahead, bootId: boot)
    }
}
