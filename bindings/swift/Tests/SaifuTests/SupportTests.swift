import Foundation
import Saifu
import SaifuHarness
import SaifuTestSupport
import Testing

extension Bindings {
    /// What apps test with, from outside.
    @Suite struct SupportTests {
        /// A host in memory and the configuration from a file are all that a wallet needs to sign up with a sandbox.
        @Test func hostInMemoryAndSandboxJsonAreEnough() async throws {
            try await inWorld { stage in
                let folder = stage.issuer.folder.appendingPathComponent("app")
                let config = try Sandbox(file: stage.issuer.file).config(folder: folder)
                let host = TestHost(clock: stage.issuer.clock)
                let wallet = try await Wallet.open(keys: host, secrets: host, clock: host, config: config)
                _ = try await wallet.account().signUp(number: "090-8765-4321")
                #expect(try wallet.home().state == .signingUp)
                await wallet.close()
            }
        }

        @Test func fakeWalletSaysWhatLeadsOnAsTheLibraryDoes() async throws {
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                var seen: [WalletState] = []
                func compare() throws {
                    let home = try taro.opened.home()
                    #expect(FakeWallet.emptyHome(home.state).wayOut == home.wayOut)
                    seen.append(home.state)
                }
                try compare()
                _ = try await taro.opened.account().signUp(number: taro.number)
                try compare()
                _ = try await taro.opened.account().confirm(code: try await taro.code())
                try compare()
                try taro.opened.lock()
                try compare()
                // All but the one that an issuer who forgets its devices brings about.
                #expect(seen == [.noAccount, .signingUp, .ready, .locked])
            }
        }

        @Test func fakeWalletIsAWallet() async throws {
            let fake = FakeWallet()
            let wallet: Wallet = fake
            var events = try wallet.events().makeAsyncIterator()
            fake.script.failure = FakeWallet.offline
            #expect(try await walletError { try await wallet.account().signUp(number: "1") }?.info.name == "offline")
            fake.script.failure = nil
            _ = try await wallet.account().signUp(number: "090-1234-5678")
            #expect(try wallet.home().state == .signingUp)
            let wrong = try await walletError { try await wallet.account().confirm(code: "1") }
            #expect(wrong?.info.problem == "wrong-code")
            _ = try await wallet.account().confirm(code: fake.script.smsCode)
            try wallet.follow()
            try await wallet.followed()
            #expect(try wallet.home().state == .ready)
            #expect(try await wallet.codes().next(purpose: .pay) == wallet.codes().current(purpose: .pay))
            let approval = try await wallet.topUps().prepareAtm(yen: 500)
            let topUp = try await approval.confirm(by: TestHost.agreeing())
            #expect(try wallet.topUps().pending().map(\.id) == [topUp.intent])
            #expect(try await wallet.history().newest(limit: 9).entries.isEmpty)
            fake.tell(.other(number: 1, at: Date(), balanceYen: 500, points: 0))
            #expect(await events.next() != nil)
            try await wallet.reset(insist: false)
            #expect(try wallet.home().state == .noAccount && wallet.topUps().pending().isEmpty)
            await wallet.close()
            #expect(await events.next() == nil)
            let made = "signUp signUp confirm confirm follow followed next prepareAtm confirmTopUp reset close"
            #expect(fake.calls.joined(separator: " ") == made)
        }
    }
}

extension TestHost {
    /// A phone that has its keys.
    fileprivate static func agreeing() throws -> TestHost {
        let host = TestHost()
        _ = try host.create(role: .authorization)
        return host
    }
}
