import Foundation
import Saifu
import SaifuHarness
import SaifuTestSupport
import Testing

extension Bindings {
    /// Hosts that fail in every way there is: always an error that the app can tell of, and nothing is lost.
    @Suite struct TroubleTests {
        /// What goes wrong, by name.
        private enum Kind: String, CaseIterable {
            case temporary, gone, userDeclined, noScreenLock, anything, lies, reenters

            func trouble(_ wallet: Locked<Wallet?>) -> Trouble {
                switch self {
                case .temporary: .refuses(.Temporary)
                case .gone: .refuses(.Gone)
                case .userDeclined: .refuses(.UserDeclined)
                case .noScreenLock: .refuses(.NoScreenLock)
                case .anything: .throwsAnything
                case .lies: .lies
                case .reenters:
                    .first {
                        guard let wallet = wallet.now else { return }
                        _ = try? wallet.home()
                        _ = try? wallet.topUps().pending()
                        _ = try? wallet.account().totp()
                        _ = try? wallet.unlock()
                        Task { try? await wallet.history().newest(limit: 1) }
                    }
                }
            }
        }

        /// Does a step while a call is in trouble; if the step fails, once more when all is well.
        private func insist<Outcome>(
            _ host: TroubledHost, _ call: HostCall, _ trouble: Trouble, _ failures: inout [String],
            _ step: () async throws -> Outcome
        ) async throws -> Outcome {
            host.set(trouble, on: call)
            defer { host.set(nil, on: call) }
            do {
                return try await step()
            } catch let error as WalletError {
                #expect(["key", "vault", "invalid-input"].contains(error.info.name), "\(error)")
                #expect(!error.info.sentence.isEmpty && !error.info.next.isEmpty)
                failures.append(error.info.name)
            }
            host.set(nil, on: call)
            return try await step()
        }

        /// From an empty folder to money in the account, each step in trouble first.
        private func walk(_ person: Person, _ call: HostCall, _ kind: Kind) async throws -> [String] {
            let (host, opened) = (person.host, Locked<Wallet?>(nil))
            let trouble = kind.trouble(opened)
            var failures: [String] = []
            try await insist(host, call, trouble, &failures) { try await person.open() }
            opened.with { $0 = try? person.opened }
            let wallet = try person.opened
            let account = wallet.account()
            _ = try await insist(host, call, trouble, &failures) { try await account.signUp(number: person.number) }
            let code = try await person.code()
            _ = try await insist(host, call, trouble, &failures) { try await account.confirm(code: code) }
            _ = try await insist(host, call, trouble, &failures) { try await wallet.refresh() }
            let approval = try await insist(host, call, trouble, &failures) {
                try await wallet.topUps().prepareAtm(yen: 700)
            }
            let signature = try host.authorize(approval.signingBytes())
            host.set(trouble, on: call)
            let error = try await walletError { try await approval.confirm(signature: signature) }
            host.set(nil, on: call)
            try await untilIdle()
            if let error { failures.append(error.info.name) }
            try await insist(host, call, trouble, &failures) {
                try await wallet.forgetSession()
            }
            opened.with { $0 = nil }
            try await person.kill()
            try await insist(host, call, trouble, &failures) { try await person.open() }
            // What was approved is there, or the issuer never heard of it: then it can be done again.
            _ = try await person.opened.refresh()
            let pending = try person.opened.topUps().pending()
            #expect(error == nil ? pending.map(\.topUp?.yen) == [700] : pending.count <= 1)
            let topUp: TopUp
            if let kept = pending.first {
                topUp = TopUp(
                    intent: kept.id, state: .awaitingCash, yen: 700, number: kept.topUp?.number, since: kept.since,
                    expiresAt: kept.endsBy)
            } else {
                topUp = try await person.topUp(yen: 700)
            }
            try await person.deposit(topUp)
            #expect(try await person.opened.refresh().balanceYen == 700)
            try await person.kill()
            return failures
        }

        @Test(arguments: HostCall.allCases) func everyTroubleIsAnErrorAndNothingIsLost(call: HostCall) async throws {
            try await inWorld(unlimited) { stage in
                for (turn, kind) in Kind.allCases.enumerated() {
                    let person = try await stage.add("taro", number: "090-1234-5\(100 + turn)", open: false)
                    let failures = try await walk(person, call, kind)
                    // The trouble was there to be felt, where the wallet needs the answer.
                    let needed = ![.delete, .retire, .read].contains(call) && kind != .reenters
                    #expect(!needed || !failures.isEmpty, "\(call) \(kind)")
                    #expect(kind != .reenters || failures.isEmpty, "\(call): \(failures)")
                }
            }
        }

        /// A key store that hangs holds up what needs it, and nothing else.
        @Test func hostThatBlocksHoldsUpNobodyElse() async throws {
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                try await taro.signUp()
                let wallet = try taro.opened
                try await wallet.forgetSession()
                let (asked, released) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
                taro.host.set(
                    .first {
                        asked.signal()
                        released.wait()
                    }, on: .sign)
                let refresh = Task { try await wallet.refresh() }
                await withCheckedContinuation { done in
                    DispatchQueue.global().async {
                        asked.wait()
                        done.resume()
                    }
                }
                // It hangs in the key store now.
                #expect(diagnostics().calls == 1)
                #expect(try wallet.home().state == .ready)
                #expect(try await wallet.history().newest(limit: 1).entries.isEmpty)
                #expect(try wallet.account().totp().code.expose().count == 6)
                #expect(diagnostics().calls == 1)
                taro.host.set(nil, on: .sign)
                released.signal()
                #expect(try await refresh.value.state == .ready)
            }
        }

        /// After five seconds the library goes on without the answer.
        @Test func hostThatNeverAnswersIsGivenUp() async throws {
            try await inWorld { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                try await taro.signUp()
                let wallet = try taro.opened
                try await wallet.forgetSession()
                let released = DispatchSemaphore(value: 0)
                taro.host.set(.first { released.wait() }, on: .sign)
                let error = try await walletError { try await wallet.refresh() }
                #expect(error?.info.name == "key" && error?.info.detail == "temporary")
                taro.host.set(nil, on: .sign)
                released.signal()
                #expect(try await wallet.refresh().state == .ready)
            }
        }

        /// What an observer throws, or does to the wallet, changes nothing for the events.
        @Test func observerThatFailsOrReentersHearsOn() async throws {
            final class Wild: Observer {
                let heard = Locked(0)
                let wallet: Wallet
                init(_ wallet: Wallet) { self.wallet = wallet }
                func onEvent(event: WalletEvent) throws {
                    heard.with { $0 += 1 }
                    _ = try wallet.home()
                    _ = try wallet.topUps().pending()
                    throw Broken("an observer's own trouble")
                }
                func onFollowing(following: Following) throws { throw HostError.Gone }
                func onEnd() throws { throw HostError.Gone }
            }
            try await inWorld(unlimited) { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                try await taro.signUp()
                let wild = Wild(try taro.opened)
                let subscription = try taro.opened.subscribe(observer: wild)
                let events = try taro.opened.events()
                try taro.opened.follow()
                try await taro.opened.followed()
                for _ in 0..<2 {
                    try await taro.deposit(try await taro.topUp(yen: 1_000))
                    try await stage.issuer.advance(seconds: 61)
                }
                var entries = 0
                for await event in events {
                    if case .entry = event { entries += 1 }
                    if entries == 2 { break }
                }
                for _ in 0..<500 where wild.heard.now < 2 { try await Task.sleep(for: .milliseconds(10)) }
                #expect(wild.heard.now >= 2)
                subscription.cancel()
            }
        }
    }
}
