import Foundation
import Saifu
import SaifuHarness
import SaifuTestSupport
import Testing

extension Bindings {
    /// What is let go of is gone: nothing stays in the library, and no thread.
    @Suite struct LeakTests {
        @Test func fiveHundredWalletsAndTwentyThousandCallsLeaveNothingBehind() async throws {
            let before = Footprint()
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                try await taro.signUp()
                _ = try await taro.topUp(yen: 1_000)
                let wear = { (wallets: Int, calls: Int) in
                    try await taro.reopen(wallets) { wallet in
                        let events = try wallet.events()
                        _ = try wallet.home()
                        withExtendedLifetime(events) {}
                    }
                    try await taro.opened.call(times: calls)
                }
                try await wear(10, 400)
                try await untilIdle()
                // The issuer's pipe has a thread, the library its workers: as many as now may stay.
                try await Task.sleep(for: .seconds(1))
                let warm = Footprint()
                try await wear(490, 19_600)
                let worn = try await Footprint.settled { $0.isNoMore(than: warm) }
                #expect(worn.live == warm.live)
                #expect(worn.threads <= warm.threads)
            }
            let after = try await Footprint.settled { $0.live == before.live }
            #expect(after.live == before.live)
        }
    }
}
