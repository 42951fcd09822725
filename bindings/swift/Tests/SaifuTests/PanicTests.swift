import Foundation
import Saifu
import SaifuHarness
import SaifuTestSupport
import Testing

extension Bindings {
    /// The library's debug build panics on demand: `SAIFU_DRILL=panic:NAME`.
    @Suite struct PanicTests {
        /// A call with the name of its drill.
        private struct Drill {
            let name: String
            let call: () async throws -> Any

            init(_ name: String, _ call: @escaping () async throws -> Any) { (self.name, self.call) = (name, call) }

            /// Which error the caller gets, if any.
            func error() async throws -> String? {
                setenv("SAIFU_DRILL", "panic:\(name)", 1)
                defer { unsetenv("SAIFU_DRILL") }
                return try await walletError(call)?.info.name
            }
        }

        /// Every call that can fail, as `TYPE.NAME`, from the list that the library is held against.
        private func failing() throws -> Set<String> {
            let list = try String(contentsOf: Place.root.appendingPathComponent("bindings/api.txt"), encoding: .utf8)
            var (type, calls) = ("", Set<String>())
            for line in list.split(separator: "\n") {
                if !line.hasPrefix(" ") { type = String(line.split(separator: " ").last ?? "") }
                let call = line.prefix { $0 != "(" }.split(separator: " ").last.map { "\(type).\($0)" }
                if line.hasSuffix(" throws WalletError"), let call { calls.insert(call) }
            }
            return calls
        }

        @Test func panicOfAnyCallIsAnErrorAndTheWalletGoesOn() async throws {
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                let hanako = try await stage.add("hanako", number: "090-8765-4321", open: false)
                try await taro.signUp()
                let wallet = try taro.opened
                let (account, topUps, codes) = (wallet.account(), wallet.topUps(), wallet.codes())
                let approval = try await topUps.prepareAtm(yen: 1_000)
                let signature = try taro.host.authorize(approval.signingBytes())
                let drills = [
                    "Account.confirm": Drill("confirm") { try await account.confirm(code: "1") },
                    "Account.sign_up": Drill("sign_up") { try await account.signUp(number: "1") },
                    "Account.sign_up_in_progress": Drill("sign_up_in_progress") {
                        try account.signUpInProgress() as Any
                    },
                    "Account.totp": Drill("totp") { try account.totp() },
                    "Approval.confirm": Drill("confirm_top_up") { try await approval.confirm(signature: signature) },
                    "Codes.current": Drill("current") { try codes.current(purpose: .pay) as Any },
                    "Codes.next": Drill("next") { try await codes.next(purpose: .pay) },
                    "History.newest": Drill("newest") { try await wallet.history().newest(limit: 1) },
                    "TopUps.pending": Drill("pending") { try topUps.pending() },
                    "TopUps.prepare_atm": Drill("prepare_atm") { try await topUps.prepareAtm(yen: 1) },
                    "Wallet.follow": Drill("follow") { try wallet.follow() },
                    "Wallet.followed": Drill("followed") { try await wallet.followed() },
                    "Wallet.home": Drill("home") { try wallet.home() },
                    "Wallet.lock": Drill("lock") { try wallet.lock() },
                    "Wallet.open": Drill("open") { try await hanako.open() },
                    "Wallet.refresh": Drill("refresh") { try await wallet.refresh() },
                    "Wallet.reset": Drill("reset") { try await wallet.reset(insist: true) },
                    "Wallet.set_patience": Drill("set_patience") { try wallet.setPatience(10) },
                    "Wallet.subscribe": Drill("subscribe") { try wallet.subscribe(observer: Silent()) },
                    "Wallet.unlock": Drill("unlock") { try await wallet.unlock() },
                ]
                // A new call needs a drill here.
                #expect(try Set(drills.keys) == failing())
                for (call, drill) in drills.sorted(by: { $0.key < $1.key }) {
                    #expect(try await drill.error() == "bug", "\(call)")
                }
                // The panic came before the work: the approval still works, and so does everything else.
                let topUp = try await approval.confirm(signature: signature)
                #expect(topUp.yen == 1_000)
                #expect(try await wallet.refresh().state == .ready)
                try await hanako.open()
                #expect(try hanako.opened.home().state == .noAccount)
            }
        }
    }
}
