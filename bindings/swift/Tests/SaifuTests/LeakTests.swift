import Foundation
import Saifu
import SaifuTestSupport
import Testing

extension Bindings {
    /// What is let go of is gone: nothing stays in the library, and no thread.
    @Suite struct LeakTests {
        private var threads: Int {
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count) ?? 0
        }

        /// Waits until idle threads have ended: those of the library end after ten seconds, those of Dispatch soon.
        private func settled(threads most: Int) async throws -> Int {
            for _ in 0..<400 where threads > most { try await Task.sleep(for: .milliseconds(100)) }
            return threads
        }

        private func live() -> [UInt64] {
            let alive = diagnostics()
            return [alive.wallets, alive.subscriptions, alive.approvals, alive.cancels, alive.calls]
        }

        @Test func fiveHundredWalletsAndTwentyThousandCallsLeaveNothingBehind() async throws {
            let before = live()
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                try await taro.signUp()
                _ = try await taro.topUp(yen: 1_000)
                let warm = { (cycles: Int, calls: Int) in
                    for _ in 0..<cycles {
                        try await taro.kill()
                        try await taro.open()
                        let events = try taro.opened.events()
                        _ = try taro.opened.home()
                        withExtendedLifetime(events) {}
                    }
                    try await self.call(try taro.opened, calls)
                }
                try await warm(10, 400)
                try await untilIdle()
                let open = live()
                // The world's pipes have a thread, the library its workers: as many as now may stay.
                try await Task.sleep(for: .seconds(1))
                let threads = threads
                try await warm(490, 19_600)
                try await untilIdle()
                for _ in 0..<500 where live() != open { try await Task.sleep(for: .milliseconds(10)) }
                #expect(live() == open)
                #expect(try await settled(threads: threads) <= threads)
            }
            for _ in 0..<500 where live() != before { try await Task.sleep(for: .milliseconds(10)) }
            #expect(live() == before)
        }

        /// Every kind of call that needs no issuer.
        private func call(_ wallet: Wallet, _ count: Int) async throws {
            let (account, topUps, codes, history) = (
                wallet.account(), wallet.topUps(), wallet.codes(), wallet.history()
            )
            for turn in 0..<count {
                switch turn % 8 {
                case 0: _ = try wallet.home()
                case 1: _ = try account.totp()
                case 2: #expect(try topUps.pending().count == 1)
                case 3: #expect(try codes.current(purpose: .pay) == nil)
                case 4: _ = try await history.newest(limit: 5)
                case 5: #expect(try account.signUpInProgress() == nil)
                case 6: try wallet.subscribe(observer: Silent()).cancel()
                default:
                    let cancel = Cancel()
                    cancel.cancel()
                    let error = try await walletError { try await wallet.refresh(cancel: cancel) }
                    #expect(error?.info.name == "cancelled")
                }
            }
        }
    }
}
