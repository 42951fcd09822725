import Foundation
import Saifu
import SaifuHarness
import SaifuTestSupport
import Testing

/// Every test. One after the other: some count what is alive in the process, or change its environment. One that hangs fails.
@Suite(.serialized, .timeLimit(.minutes(10))) struct Bindings {}

/// A sandbox for one test. `play` gets its stage; at its end the books must balance.
func inWorld<Outcome>(_ policy: Json = .object([:]), _ play: (Stage) async throws -> Outcome) async throws -> Outcome {
    let stage = try Stage(policy: policy)
    do {
        let outcome = try await play(stage)
        await stage.leave()
        try await stage.issuer.balance()
        await stage.issuer.end()
        return outcome
    } catch {
        await stage.leave()
        await stage.issuer.end()
        throw error
    }
}

/// What `call` fails with, if with an error of the wallet's.
func walletError(_ call: () async throws -> some Any) async throws -> WalletError? {
    do {
        _ = try await call()
        return nil
    } catch let error as WalletError {
        return error
    }
}

/// Waits until the calls that were given up have come to their end.
func untilIdle() async throws {
    for _ in 0..<3_000 where diagnostics().calls > 0 { try await Task.sleep(for: .milliseconds(10)) }
    try #require(diagnostics().calls == 0)
}

/// No limit on top-ups that a test would reach.
let unlimited: Json = [
    "sign_up": ["resend_ms": nil, "number_a_day": nil, "prefix_an_hour": nil, "all_an_hour": nil],
    "standing": ["software_divisor": nil],
    "top_up": [
        "interval_ms": nil, "an_hour": nil, "each_yen": nil, "day_yen": 9_000_000, "starter_day_yen": 9_000_000,
        "starter_one_source": false,
    ],
]
