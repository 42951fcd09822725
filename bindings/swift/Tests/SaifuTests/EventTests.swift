import Foundation
import Saifu
import SaifuHarness
import SaifuTestSupport
import Testing

extension Bindings {
    /// Events as a stream.
    @Suite struct EventTests {
        private func untilNobodySubscribes() async throws {
            for _ in 0..<500 where diagnostics().subscriptions > 0 { try await Task.sleep(for: .milliseconds(10)) }
            #expect(diagnostics().subscriptions == 0)
        }

        @Test func paymentIsToldWhileTheWalletFollows() async throws {
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                try await taro.signUp()
                let wallet = try taro.opened
                let events = try wallet.events()
                try wallet.follow()
                try await wallet.followed()
                try await taro.deposit(try await taro.topUp(yen: 5_000))
                for await event in events {
                    guard case .entry(_, _, let balance, _, let entry) = event else { continue }
                    #expect(balance == 5_000 && entry.kind == .topUp && entry.yen == 5_000)
                    break
                }
                #expect(try wallet.home().balanceYen == 5_000)
            }
            try await untilNobodySubscribes()
        }

        /// The wish stays, says why nothing comes, and waiting for it ends with its task and with the wallet.
        @Test func wishOutlivesAnIssuerThatIsNotThere() async throws {
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                try await taro.signUp()
                try await taro.kill()
                let wallet = try await taro.openWithoutIssuer()
                var standings = try wallet.followings().makeAsyncIterator()
                #expect(await standings.next() == .off)
                try wallet.follow()
                while let standing = await standings.next() {
                    guard case .waiting(let why, _) = standing else { continue }
                    #expect(why == "offline")
                    break
                }
                let waiting = Task { try await wallet.followed() }
                try await Task.sleep(for: .milliseconds(50))
                waiting.cancel()
                #expect(try await walletError { try await waiting.value }?.info.name == "cancelled")
                try await untilIdle()
                let last = Task { try await wallet.followed() }
                try await Task.sleep(for: .milliseconds(50))
                try await taro.kill()
                #expect(try await walletError { try await last.value }?.info.detail == "closed")
            }
            try await untilNobodySubscribes()
        }

        @Test func streamEndsWithItsWallet() async throws {
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                let events = try taro.opened.events()
                let reader = Task { await events.reduce(0) { count, _ in count + 1 } }
                try await taro.kill()
                #expect(await reader.value == 0)
            }
            try await untilNobodySubscribes()
        }

        @Test func streamThatIsLetGoUnsubscribes() async throws {
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                do {
                    let events = try taro.opened.events()
                    #expect(diagnostics().subscriptions == 1)
                    withExtendedLifetime(events) {}
                }
                try await untilNobodySubscribes()
                let events = try taro.opened.events()
                let reader = Task { for await _ in events {} }
                reader.cancel()
                await reader.value
                try await untilNobodySubscribes()
                #expect(throws: Never.self) { try taro.opened.home() }
            }
        }

        @Test func closedWalletGivesNoStream() async throws {
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                let wallet = try taro.opened
                try await taro.kill()
                let error = try await walletError { try wallet.events() }
                #expect(error?.info.name == "locked")
            }
        }
    }
}
