import Foundation
import Saifu
import SaifuHarness
import SaifuTestSupport
import Testing

extension Bindings {
    /// What the FFI boundary costs. Times are told and never judged; what is let go of must be gone, in the library and of
    /// threads.
    ///
    /// In the gate with few calls, to see that it can be measured, but 500 openings and 20,000 calls that leave nothing.
    /// `SAIFU_MEASURE` names a file for the figures and has it measured with many, or with as many as `SAIFU_MEASURE_CALLS`,
    /// `_OPENINGS` and `_STARTS` say.
    @Suite struct MeasureTests {
        @Test func boundaryIsMeasuredAndNothingIsLeftBehind() async throws {
            let environment = ProcessInfo.processInfo.environment
            let file = environment["SAIFU_MEASURE"]
            let count = { (name: String, few: Int, many: Int) in
                file == nil ? few : environment["SAIFU_MEASURE_\(name)"].flatMap { Int($0) } ?? many
            }
            let (timed, calls) = (count("CALLS", 1_000, 100_000), count("CALLS", 20_000, 100_000))
            let (openings, starts) = (count("OPENINGS", 500, 10_000), count("STARTS", 2, 20))
            let untouched = Footprint()
            let figures = try await inWorld { stage -> Json in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                try await taro.signUp()
                let costs = try await self.costs(try taro.opened, timed)
                try await taro.kill()
                let cold = try await taro.startCold(starts)
                for times in cold {
                    let parts = try ["load_ms", "open_ms", "code_ms"].map { try #require(times[$0]) }
                    #expect(try #require(times["all_ms"]) >= parts.reduce(0, +) && parts.allSatisfy { $0 > 0 })
                }
                try await taro.open()
                _ = try await taro.topUp(yen: 1_000)
                return [
                    "language": "swift", "calls": .list(costs),
                    "cold": .list(cold.map { .object($0.mapValues { .real($0) }) }),
                    "openings": try await self.wear("cycles", openings) { times in
                        try await taro.reopen(times) { wallet in
                            // A stream that is let go of takes nothing with it; what is measured has none.
                            let events = file == nil ? try wallet.events() : nil
                            _ = try wallet.home()
                            withExtendedLifetime(events) {}
                        }
                    },
                    "many": try await self.wear("calls", calls) { try await taro.opened.call(times: $0) },
                ]
            }
            let after = try await Footprint.settled { $0.live == untouched.live }
            #expect(after.live == untouched.live)
            if let file { try Data(figures.line.utf8).write(to: URL(fileURLWithPath: file)) }
        }

        /// The mean of one call of each kind.
        private func costs(_ wallet: Wallet, _ count: Int) async throws -> [Json] {
            let (account, topUps, history, cancel) = (wallet.account(), wallet.topUps(), wallet.history(), Cancel())
            return [
                try await cost("is_cancelled", count) { for _ in 0..<$0 { _ = cancel.isCancelled() } },
                try await cost("pending", count) { for _ in 0..<$0 { _ = try topUps.pending() } },
                try await cost("home", count) { for _ in 0..<$0 { _ = try wallet.home() } },
                try await cost("totp", count) { for _ in 0..<$0 { _ = try account.totp() } },
                try await cost("newest", count / 10) { for _ in 0..<$0 { _ = try await history.newest(limit: 1) } },
            ]
        }

        private func cost(_ name: String, _ count: Int, _ calls: (Int) async throws -> Void) async throws -> Json {
            try await calls(count / 10)
            let took = try await ContinuousClock().measure { try await calls(count) }
            #expect(took > .zero)
            return ["name": .text(name), "count": json(count), "ns": .real(took / .nanoseconds(1) / Double(count))]
        }

        /// What is there before and after so many times, once warm.
        private func wear(_ what: String, _ times: Int, _ work: (Int) async throws -> Void) async throws -> Json {
            try await work(times / 10)
            try await untilIdle()
            try await Task.sleep(for: .seconds(1))
            let before = Footprint()
            try await work(times)
            let after = try await Footprint.settled { $0.isNoMore(than: before) }
            #expect(after.live == before.live)
            #expect(after.threads <= before.threads)
            return [
                what: json(times), "live_before": json(before.live), "live_after": json(after.live),
                "threads_before": json(before.threads), "threads_after": json(after.threads),
                "rss_before_kib": json(before.rssKib), "rss_after_kib": json(after.rssKib),
            ]
        }
    }
}
