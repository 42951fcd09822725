import Foundation
import Saifu

/// What a process holds at a moment.
public struct Footprint: Sendable {
    /// Objects and calls alive in the library.
    public let live: Int64
    public let threads: Int
    /// Resident memory, KiB.
    public let rssKib: Int

    /// That of this process, now.
    public init() {
        let alive = diagnostics()
        live = alive.wallets + alive.subscriptions + alive.approvals + alive.cancels + alive.calls
        threads = Self.ofProcess("Threads:")
        rssKib = Self.ofProcess("VmRSS:")
    }

    /// Once it is as told, or when there was time enough for all that ends by itself: a call given up, a stream let go of, an
    /// idle thread. Those of the library end after ten seconds, those of Dispatch soon.
    public static func settled(_ isSo: (Footprint) -> Bool) async throws -> Footprint {
        for _ in 0..<400 {
            let now = Footprint()
            if isSo(now) { return now }
            try await Task.sleep(for: .milliseconds(100))
        }
        return Footprint()
    }

    /// Whether nothing has been added since.
    public func isNoMore(than earlier: Footprint) -> Bool { live == earlier.live && threads <= earlier.threads }

    /// A number of proc_pid_status(5).
    private static func ofProcess(_ name: String) -> Int {
        let status = FileManager.default.contents(atPath: "/proc/self/status") ?? Data()
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix(name) }
        return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    }
}

/// Wear: the same things over and over, after which nothing must be left behind.
extension Person {
    /// Closes the wallet and opens it again, so many times.
    public func reopen(_ times: Int, _ look: (Wallet) throws -> Void) async throws {
        for _ in 0..<times {
            try await kill()
            try await open()
            try look(try opened)
        }
    }
}

extension Wallet {
    /// So many calls, of every kind that needs no issuer. Throws `Broken` for an answer that is not the usual one of a wallet
    /// with one top-up under way.
    public func call(times: Int) async throws {
        let (account, topUps, codes, history) = (account(), topUps(), codes(), history())
        for turn in 0..<times {
            let usual: Bool
            switch turn % 8 {
            case 0: usual = try home().state == .ready
            case 1: usual = try account.totp().code.expose().count == 6
            case 2: usual = try topUps.pending().count == 1
            case 3: usual = try codes.current(purpose: .pay) == nil
            case 4: usual = try await history.newest(limit: 5).entries.isEmpty
            case 5: usual = try account.signUpInProgress() == nil
            case 6:
                try subscribe(observer: Silent()).cancel()
                usual = true
            default: usual = try await isRefusedToTheCancelled()
            }
            guard usual else { throw Broken("call \(turn) has another answer than usual") }
        }
    }

    private func isRefusedToTheCancelled() async throws -> Bool {
        let cancel = Cancel()
        cancel.cancel()
        do {
            _ = try await refresh(cancel: cancel)
            return false
        } catch WalletError.Cancelled {
            return true
        }
    }
}

/// Hears events and does nothing.
public final class Silent: Observer {
    public init() {}
    public func onEvent(event: WalletEvent) throws {}
    public func onFollowing(following: Following) throws {}
    public func onEnd() throws {}
}
