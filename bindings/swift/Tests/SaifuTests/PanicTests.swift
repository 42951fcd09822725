import Foundation
import Saifu
import SaifuTestSupport
import Testing

extension Bindings {
    /// The library's debug build panics on demand: `SAIFU_DRILL=panic:NAME`.
    @Suite struct PanicTests {
        private func drill(_ name: String, _ call: () async throws -> some Any) async throws -> String? {
            setenv("SAIFU_DRILL", "panic:\(name)", 1)
            defer { unsetenv("SAIFU_DRILL") }
            return try await walletError(call)?.info.name
        }

        @Test func panicOfAnyCallIsAnErrorAndTheWalletGoesOn() async throws {
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                try await taro.signUp()
                let wallet = try taro.opened
                let (account, topUps, codes) = (wallet.account(), wallet.topUps(), wallet.codes())
                let approval = try await topUps.prepareAtm(yen: 1_000)
                let signature = try taro.host.inner.authorize(approval.signingBytes())
                let quiet = Silent()
                let sync: [(String, () throws -> Any)] = [
                    ("home", { try wallet.home() }), ("subscribe", { try wallet.subscribe(observer: quiet) }),
                    ("lock", { try wallet.lock() }), ("unlock", { try wallet.unlock() }),
                    ("set_patience", { try wallet.setPatience(ms: 10_000) }), ("totp", { try account.totp() }),
                    ("sign_up_in_progress", { try account.signUpInProgress() as Any }),
                    ("pending", { try topUps.pending() }), ("current", { try codes.current(purpose: .pay) as Any }),
                ]
                for (name, call) in sync {
                    #expect(try await drill(name, call) == "bug", "\(name)")
                }
                #expect(try await drill("refresh") { try await wallet.refresh() } == "bug")
                #expect(try await drill("follow") { try await wallet.follow() } == "bug")
                #expect(try await drill("sign_up") { try await account.signUp(number: "1") } == "bug")
                #expect(try await drill("confirm") { try await account.confirm(code: "1") } == "bug")
                #expect(try await drill("prepare_atm") { try await topUps.prepareAtm(yen: 1) } == "bug")
                #expect(try await drill("confirm_top_up") { try await approval.confirm(signature: signature) } == "bug")
                #expect(try await drill("next") { try await codes.next(purpose: .pay) } == "bug")
                #expect(try await drill("newest") { try await wallet.history().newest(limit: 1) } == "bug")
                // The panic came before the work: the approval still works, and so does everything else.
                let topUp = try await approval.confirm(signature: signature)
                #expect(topUp.yen == 1_000)
                #expect(try await wallet.refresh().state == .ready)
            }
        }
    }
}
