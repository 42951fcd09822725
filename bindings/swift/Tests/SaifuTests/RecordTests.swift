import Foundation
import Saifu
import SaifuHarness
import SaifuTestSupport
import Testing

extension Bindings {
    /// What records and errors say of themselves.
    @Suite struct RecordTests {
        private static let planted = "271828182845"
        private var secret: Sensitive { Sensitive(Self.planted) }

        /// All that can be printed of a value.
        private func printed(_ value: some Any) -> String {
            var dumped = ""
            dump(value, to: &dumped)
            let mirror = Mirror(reflecting: value).children.map { "\($0)" }.joined()
            return "\(value)" + String(describing: value) + String(reflecting: value) + dumped + mirror
        }

        @Test func recordsDoNotPrintWhatTheyHold() {
            let at = Date()
            let modules = SensitiveBytes(Data([2, 7, 1, 8]))
            let symbol = Symbol(width: 4, height: 1, quietZone: 0, modules: modules)
            let records: [Any] = [
                secret,
                SignUpScreen(number: secret, expiresAt: at, resendAt: at, expiresIn: 0, resendIn: 0),
                TotpCode(code: secret, validUntil: at, validFor: 0, trust: .full),
                PendingEntry(
                    id: "", what: .accepted(detail: .topUp(channel: .atm, yen: 1, number: secret)), since: at,
                    endsBy: at, next: ""),
                TopUp(intent: "", state: .done, yen: 1, number: secret, since: at, expiresAt: at),
                PaymentCode(
                    digits: secret, purpose: .pay, capYen: 1, offline: false, issuedAt: at, refreshAt: at,
                    expiresAt: at, refreshIn: 0, fetchNext: false, trust: .full, barcode: symbol, qr: symbol),
            ]
            for record in records {
                let text = printed(record)
                #expect(!text.contains(Self.planted) && !text.contains("UInt8") && !text.contains("4 bytes"), "\(text)")
            }
            // The control: a record with a plain text shows it, and this one shows it when it is asked.
            struct Plain {
                let number: String
                let modules: Data
            }
            let plain = printed(Plain(number: Self.planted, modules: modules.expose()))
            #expect(plain.contains(Self.planted) && plain.contains("4 bytes"))
            #expect(secret.expose() == Self.planted && secret == Sensitive(Self.planted))
        }

        @Test func whatTheLibraryGivesIsNotPrintedEither() async throws {
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                let screen = try await taro.opened.account().signUp(number: taro.number)
                #expect(screen.number.expose() == "+819012345678" && !printed(screen).contains("9012345678"))
                _ = try await taro.opened.account().confirm(code: try await taro.code())
                let totp = try taro.opened.account().totp()
                #expect(totp.code.expose().count == 6 && !printed(totp).contains(totp.code.expose()))
                let topUp = try await taro.topUp(yen: 1_000)
                let number = try #require(topUp.number?.expose())
                #expect(number.count == 12 && !printed(topUp).contains(number))
                #expect(try !printed(taro.opened.topUps().pending()).contains(number))
                #expect(topUp.expiresAt > topUp.since)
            }
        }

        @Test func errorSaysItsSentence() async throws {
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                let error = try #require(try await walletError { try await taro.opened.refresh() })
                #expect(error.localizedDescription == "This wallet has no account yet.")
                #expect((error as NSError).localizedRecoverySuggestion == "Sign up with your phone number.")
                #expect(error.info.name == "not-signed-up" && error.info.code == 4)
                #expect(try await walletError { try taro.opened.setPatience(-1) }?.info.name == "invalid-input")
                #expect(try await walletError { try taro.opened.setPatience(.nan) } == nil)
            }
        }

        /// More prompts at once than Swift has threads of its own; each waits for a task that needs one of those. The control:
        /// call `approver.approve` in `Approval.confirm(by:)` itself, and this never ends.
        @Test func promptsThatBlockHoldUpNoTask() async throws {
            struct Prompt: Approver {
                let asked = DispatchSemaphore(value: 0)
                let agreed = DispatchSemaphore(value: 0)
                func wasAsked() -> Bool { asked.wait(timeout: .now()) == .success }
                func approve(_ message: Data, text: String) throws -> Data {
                    asked.signal()
                    agreed.wait()
                    return message
                }
            }
            let (wallet, prompts) = (FakeWallet(), 2 * ProcessInfo.processInfo.activeProcessorCount)
            let prompt = Prompt()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<prompts {
                    group.addTask { _ = try await wallet.topUps().prepareAtm(yen: 1).confirm(by: prompt) }
                }
                group.addTask {
                    for _ in 0..<prompts {
                        while !prompt.wasAsked() { try await Task.sleep(for: .milliseconds(1)) }
                    }
                    for _ in 0..<prompts { prompt.agreed.signal() }
                }
                try await group.waitForAll()
            }
            #expect(wallet.script.pending.count == prompts)
        }
    }
}
