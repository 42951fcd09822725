import Foundation
import Saifu
import SaifuExamples
import SaifuHarness
import SaifuTestSupport
import Testing

extension Bindings {
    /// The code of docs/ios.md is that of the folder Examples, which is compiled here, and does what the page says.
    @Suite struct GuideTests {
        private struct No: Approver {
            func approve(_ message: Data, text: String) throws -> Data { throw HostError.UserDeclined }
        }

        private func trimmed(_ text: String) -> String {
            text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "\n")
        }

        @Test func everyBlockOfThePageIsInAnExample() throws {
            let folders = ["bindings/swift/Examples", "bindings/swift/Examples/Apple"]
            let files = try folders.flatMap { try Place.files($0, "swift") }
            let examples = try files.map { trimmed(try String(contentsOf: $0, encoding: .utf8)) }
            let page = try String(contentsOf: Place.root.appendingPathComponent("docs/ios.md"), encoding: .utf8)
            let blocks = page.components(separatedBy: "```swift\n").dropFirst().map { block in
                trimmed(block.components(separatedBy: "\n```").first ?? "")
            }
            try #require(blocks.count >= 5)
            for block in blocks {
                #expect(examples.contains { $0.contains(block) }, "this is in no example:\n\(block)")
            }
        }

        @Test func appBeginsWhereItsSignUpStands() async throws {
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                #expect(try taro.opened.firstScreen() == .number)
                let waiting = try await taro.opened.account().signUp(number: taro.number)
                // The phone ended the app while the SMS was read.
                try await taro.kill()
                try await taro.open()
                let first = try taro.opened.firstScreen()
                guard case .code(let again) = first else {
                    Issue.record("\(first)")
                    return
                }
                #expect(again.number == waiting.number && again.expiresAt == waiting.expiresAt)
                _ = try await taro.opened.account().confirm(code: try await taro.code())
                #expect(try taro.opened.firstScreen() == .home)
                try taro.opened.lock()
                #expect(try taro.opened.firstScreen() == .unlock)
                try await taro.opened.unlock()
            }
        }

        @Test func modelShowsWhatHappens() async throws {
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                try await taro.signUp()
                let wallet = try taro.opened
                let model = await HomeModel(wallet)
                let running = Task { await model.run() }
                let topUp = try await wallet.topUp(yen: 5_000, taro.host.inner)
                try await taro.deposit(topUp)
                for _ in 0..<500 {
                    if await model.home?.balanceYen == 5_000 { break }
                    try await Task.sleep(for: .milliseconds(10))
                }
                #expect(await model.home?.balanceYen == 5_000)
                running.cancel()
                await running.value
                #expect(await model.trouble == nil)
            }
        }

        /// An app that starts in a tunnel shows what it knows, and follows once it is out.
        @Test func modelThatStartsWithoutNetworkIsThereLater() async throws {
            let wallet = FakeWallet(home: FakeWallet.emptyHome(.ready, balanceYen: 5_000))
            wallet.script.failure = FakeWallet.offline
            let model = await HomeModel(wallet)
            let running = Task { await model.run() }
            try await until { await model.banner == "No connection. These are the figures of before." }
            #expect(await model.home?.balanceYen == 5_000)
            wallet.script.failure = nil
            wallet.script.home = FakeWallet.emptyHome(.ready, balanceYen: 6_000)
            wallet.tell(.connected(since: Date()))
            try await until { await model.home?.balanceYen == 6_000 }
            #expect(await model.banner == nil)
            #expect(wallet.calls.filter { $0 == "follow" }.count == 1)
            running.cancel()
            await running.value
            #expect(await model.trouble == nil)
        }

        /// The same with the library, and an issuer that nobody has started.
        @Test func modelThatStartsWithoutIssuerShowsWhatItKnows() async throws {
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                try await taro.signUp()
                try await taro.kill()
                let model = await HomeModel(try await taro.openWithoutIssuer())
                let running = Task { await model.run() }
                try await until { await model.banner == "No connection. These are the figures of before." }
                #expect(await model.home?.balanceYen == 0)
                running.cancel()
                await running.value
                #expect(await model.trouble == nil)
            }
        }

        /// A wallet that is not ready shows what leads on; locked while it is shown, too.
        @Test func modelOfAWalletThatIsNotReadySaysWhatLeadsOn() async throws {
            for state in [WalletState.noAccount, .signingUp, .putAside, .locked] {
                let wallet = FakeWallet(home: FakeWallet.emptyHome(state))
                let model = await HomeModel(wallet)
                let running = Task { await model.run() }
                try await until { await model.banner == FakeWallet.emptyHome(state).wayOut }
                running.cancel()
                await running.value
                #expect(await model.trouble == nil)
            }
            #expect(try FakeWallet(home: FakeWallet.emptyHome(.putAside)).firstScreen() == .number)
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                try await taro.signUp()
                let model = await HomeModel(try taro.opened)
                let running = Task { await model.run() }
                try await until { if case .connected = await model.home?.following { true } else { false } }
                try taro.opened.lock()
                try await until { await model.banner == "Unlock the wallet." }
                try await taro.opened.unlock()
                try await until { if case .connected = await model.home?.following { true } else { false } }
                running.cancel()
                await running.value
            }
        }

        private func until(_ isSo: () async -> Bool) async throws {
            for _ in 0..<3_000 {
                if await isSo() { return }
                try await Task.sleep(for: .milliseconds(10))
            }
            Issue.record("it never came to be")
        }

        @Test func modelTellsWhatTheUserCanDo() async throws {
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                let wallet = try taro.opened
                try await taro.kill()
                let model = await HomeModel(wallet)
                await model.run()
                #expect(await model.trouble?.next == "Open it again.")
            }
        }

        @Test func ownerWhoDeclinesMovesNothing() async throws {
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                try await taro.signUp()
                await #expect(throws: HostError.UserDeclined) { try await taro.opened.topUp(yen: 5_000, No()) }
                #expect(try taro.opened.topUps().pending() == [])
            }
        }
    }
}
