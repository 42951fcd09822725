import Foundation
import Saifu
import SaifuTestSupport

/// What a wallet asks its host.
public enum HostCall: String, CaseIterable, Sendable {
    case create, info, sign, delete, seal, unseal, id, renew, retire, read
}

/// What goes wrong in a call.
public enum Trouble: Sendable {
    /// It throws one of the errors of the contract.
    case refuses(HostError)
    /// It throws something the contract does not know.
    case throwsAnything
    /// It does something else first, on the library's thread: call the wallet back, cancel something.
    case first(@Sendable () -> Void)
    /// It answers with nonsense.
    case lies
}

/// A host that does as it is told: another one's answers, or trouble.
public final class TroubledHost: Keys, Secrets, Clock {
    private struct SomethingElse: Error {}

    public let inner: TestHost
    private let troubles = Locked<[HostCall: Trouble]>([:])
    private let watch = Locked<(@Sendable (HostCall) -> Void)?>(nil)
    private let failing = Locked<(error: HostError, times: Int64)?>(nil)

    public init(_ inner: TestHost) { self.inner = inner }

    /// From now on; `nil`: all is well again.
    public func set(_ trouble: Trouble?, on calls: HostCall...) {
        troubles.with { troubles in
            for call in calls { troubles[call] = trouble }
        }
    }

    /// Hears of every call before it is done, on the library's thread.
    public func watch(_ watch: (@Sendable (HostCall) -> Void)?) {
        self.watch.with { $0 = watch }
    }

    /// The next so many signatures fail, whichever key makes them; all is well again after that.
    public func failSignatures(_ error: HostError, times: Int64) {
        failing.with { $0 = (error, times) }
    }

    /// Signs with the authorization key, as an app does behind its prompt.
    public func authorize(_ message: Data) throws -> Data {
        try failIfTold()
        return try inner.authorize(message)
    }

    private func failIfTold() throws {
        let error = failing.with { failing in
            let now = failing
            failing = now.flatMap { $0.times > 1 ? ($0.error, $0.times - 1) : nil }
            return now?.error
        }
        if let error { throw error }
    }

    /// The answer of the other host, or nonsense, or no answer.
    private func done<Answer>(_ call: HostCall, _ lie: Answer, _ truth: () throws -> Answer) throws -> Answer {
        watch.now?(call)
        switch troubles.now[call] {
        case nil: return try truth()
        case .refuses(let error): throw error
        case .throwsAnything: throw SomethingElse()
        case .first(let work):
            work()
            return try truth()
        case .lies: return lie
        }
    }

    private static let noise = Data((0..<40).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) })

    public func create(role: Role) throws -> HostKey {
        try done(.create, HostKey(spki: Self.noise, hardware: true)) { try inner.create(role: role) }
    }

    public func info(role: Role) throws -> HostKey {
        try done(.info, HostKey(spki: Self.noise, hardware: true)) { try inner.info(role: role) }
    }

    public func sign(message: Data) throws -> Data {
        try done(.sign, Self.noise) {
            try failIfTold()
            return try inner.sign(message: message)
        }
    }

    public func delete(role: Role) throws {
        try done(.delete, ()) { try inner.delete(role: role) }
    }

    public func seal(plain: Data) throws -> Data {
        try done(.seal, Self.noise) { try inner.seal(plain: plain) }
    }

    public func unseal(sealed: Data) throws -> Data {
        try done(.unseal, Self.noise) { try inner.unseal(sealed: sealed) }
    }

    public func id() throws -> SealName? {
        try done(.id, SealName(install: Self.noise, generation: 7)) { try inner.id() }
    }

    public func renew() throws -> SealName {
        try done(.renew, SealName(install: Self.noise, generation: 7)) { try inner.renew() }
    }

    public func retire() throws {
        try done(.retire, ()) { try inner.retire() }
    }

    public func read() throws -> ClockReading {
        try done(.read, ClockReading(wall: .distantFuture, elapsedMs: -1, bootId: Data())) { try inner.read() }
    }
}
