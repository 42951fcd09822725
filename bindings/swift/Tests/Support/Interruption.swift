import Foundation
import Saifu
import SaifuTestSupport

/// How a call is given up.
public enum Way: String, CaseIterable, Sendable {
    /// Its task is cancelled, as SwiftUI does when a screen goes away.
    case task
    /// The handle is cancelled that was given with it.
    case handle
}

/// How a call ended that was given up on its way.
public enum Ended<Outcome: Sendable>: Sendable {
    case done(Outcome)
    case cancelled
}

/// Gives up calls at named points: each time the wallet asks its host is one, the third reading of the clock is `read 3`.
/// The point before all others, `start`, is the call itself.
public enum Interruption {
    public static let start = "start"

    /// The points of a call, in order.
    public static func points(_ host: TroubledHost, _ call: () async throws -> some Any) async throws -> [String] {
        let points = Locked([start])
        let counter = Counter()
        host.watch { call in points.with { $0.append(counter.name(call)) } }
        defer { host.watch(nil) }
        _ = try await call()
        return points.now
    }

    /// Makes a call and gives it up at `point`, on the thread that asks the host. Also tells whether it came that far.
    public static func at<Outcome: Sendable>(
        _ point: String, _ way: Way, _ host: TroubledHost, _ call: @escaping @Sendable (Cancel?) async throws -> Outcome
    ) async throws -> (ended: Ended<Outcome>, reached: Bool) {
        let (cancel, counter, reached) = (Cancel(), Counter(), Locked(point == start))
        let (gate, open) = AsyncStream.makeStream(of: Never.self)
        let task = Task {
            for await _ in gate {}
            return try await call(way == .handle ? cancel : nil)
        }
        let giveUp: @Sendable () -> Void = { way == .task ? task.cancel() : cancel.cancel() }
        host.watch { call in
            if counter.name(call) == point {
                reached.with { $0 = true }
                giveUp()
            }
        }
        defer { host.watch(nil) }
        if point == start { giveUp() }
        open.finish()
        do {
            return (.done(try await task.value), reached.now)
        } catch WalletError.Cancelled {
            return (.cancelled, reached.now)
        }
    }

    private final class Counter: Sendable {
        private let counts = Locked<[HostCall: Int]>([:])

        func name(_ call: HostCall) -> String {
            counts.with { counts in
                counts[call, default: 0] += 1
                return "\(call.rawValue) \(counts[call] ?? 0)"
            }
        }
    }
}
