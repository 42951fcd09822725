import Foundation
import Saifu
import SaifuHarness
import SaifuTestSupport
import Testing

extension Bindings {
    /// Every asynchronous call, given up 125 times at its points: 1,125 in all. What had begun must come to its recorded end.
    @Suite struct CancelTests {
        private static let each = 125

        /// A call that takes the handle it is given, or else ends with its task.
        private typealias Call<Outcome> = @Sendable (Cancel?) async throws -> Outcome

        /// Gives up a call at one point after the other, both ways. `prepare` brings about each call, `settle` says what must
        /// hold afterwards.
        private func giveUp<Outcome: Sendable>(
            _ points: [String], prepare: () async throws -> (host: TroubledHost, call: Call<Outcome>),
            settle: (Ended<Outcome>) async throws -> Void
        ) async throws {
            let all = points.flatMap { point in Way.allCases.map { (point, $0) } }
            #expect(all.count <= Self.each, "some points would not be tried: \(points)")
            var (cancelled, reached) = (0, 0)
            for turn in 0..<Self.each {
                let (point, way) = all[turn % all.count]
                let (host, call) = try await prepare()
                let (ended, was) = try await Interruption.at(point, way, host, call)
                if case .cancelled = ended { cancelled += 1 }
                if was { reached += 1 }
                try await untilIdle()
                try await settle(ended)
            }
            // The points are those of one run before; a run that has less to ask has ended by then.
            #expect(reached >= Self.each / 2 && cancelled > 0, "\(reached) reached, \(cancelled) cancelled: \(points)")
        }

        /// Gives up a call that moves no money: afterwards there is nothing unfinished, and the balance is the issuer's.
        private func giveUp<Outcome: Sendable>(
            _ call: @escaping @Sendable (Wallet, Cancel?) async throws -> Outcome
        ) async throws {
            try await inWorld(unlimited) { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                try await taro.signUp()
                try await taro.deposit(try await taro.topUp(yen: 3_000))
                let wallet = try taro.opened
                try await wallet.forgetSession()
                let points = try await Interruption.points(taro.host) { try await call(wallet, nil) }
                try await giveUp(points) {
                    try await wallet.forgetSession()
                    return (taro.host, { try await call(wallet, $0) })
                } settle: { _ in
                    let (home, pending) = (try await wallet.refresh(), try wallet.topUps().pending())
                    #expect(home.balanceYen == 3_000 && pending == [])
                }
            }
        }

        @Test func refreshIsGivenUp() async throws {
            try await giveUp { wallet, cancel in
                if let cancel { try await wallet.refresh(cancel: cancel) } else { try await wallet.refresh() }
            }
        }

        /// Of a wallet that was just opened: the wish itself is not given up, and it makes the connection.
        @Test func followedIsGivenUp() async throws {
            try await inWorld(unlimited) { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                try await taro.signUp()
                let call = { () async throws -> Call<Void> in
                    try await taro.kill()
                    try await taro.open()
                    let wallet = try taro.opened
                    return { cancel in
                        try wallet.follow()
                        if let cancel { try await wallet.followed(cancel: cancel) } else { try await wallet.followed() }
                    }
                }
                let first = try await call()
                let points = try await Interruption.points(taro.host) { try await first(nil) }
                try await giveUp(points) {
                    (taro.host, try await call())
                } settle: { _ in
                    try await taro.opened.followed()
                    #expect(try await taro.opened.refresh().state == .ready)
                }
            }
        }

        /// An empty wallet is what comes of it, or nothing if it had not begun.
        @Test func resetIsGivenUp() async throws {
            try await inWorld(unlimited) { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                let wallet = try taro.opened
                let call = { () async throws -> Call<Void> in
                    _ = try await wallet.account().signUp(number: taro.number)
                    return { cancel in
                        if let cancel {
                            try await wallet.reset(insist: false, cancel: cancel)
                        } else {
                            try await wallet.reset(insist: false)
                        }
                    }
                }
                let first = try await call()
                let points = try await Interruption.points(taro.host) { try await first(nil) }
                try await giveUp(points) {
                    (taro.host, try await call())
                } settle: { _ in
                    #expect(try [.signingUp, .noAccount].contains(wallet.home().state))
                    try await wallet.reset(insist: false)
                    #expect(try wallet.home().state == .noAccount)
                }
            }
        }

        @Test func historyIsGivenUp() async throws {
            try await giveUp { wallet, cancel in
                let history = wallet.history()
                return if let cancel {
                    try await history.newest(limit: 10, cancel: cancel)
                } else {
                    try await history.newest(limit: 10)
                }
            }
        }

        @Test func codeIsGivenUp() async throws {
            try await giveUp { wallet, cancel in
                let codes = wallet.codes()
                return if let cancel {
                    try await codes.next(purpose: .pay, cancel: cancel)
                } else {
                    try await codes.next(purpose: .pay)
                }
            }
        }

        @Test func preparedTopUpIsGivenUp() async throws {
            try await giveUp { wallet, cancel in
                let topUps = wallet.topUps()
                let approval =
                    if let cancel {
                        try await topUps.prepareAtm(yen: 500, cancel: cancel)
                    } else {
                        try await topUps.prepareAtm(yen: 500)
                    }
                return approval.intent()
            }
        }

        /// The one that moves money.
        @Test func approvedTopUpIsGivenUp() async throws {
            #expect(try await disagreementsOfApprovedTopUps() == 0)
        }

        /// The control: where giving up takes the work with it, as the drill does, the same cancellations leave a wallet that
        /// does not know what the issuer knows, until it asks.
        @Test func workThatDoesNotGoOnIsFoundOut() async throws {
            setenv("SAIFU_DRILL", "abandon", 1)
            defer { unsetenv("SAIFU_DRILL") }
            #expect(try await disagreementsOfApprovedTopUps() > 0)
        }

        /// Gives up approved top-ups, and counts after which of them the wallet's own files said something else of it than the
        /// issuer, whom the wallet asks next. From then on they must agree: the ATM takes the cash of every top-up that the
        /// wallet shows, and the issuer holds nothing for one that it does not show.
        private func disagreementsOfApprovedTopUps() async throws -> Int {
            try await inWorld(unlimited) { stage in
                let taro = try await stage.add("taro", number: "090-1234-5678")
                try await taro.signUp()
                let (wallet, topUps) = (try taro.opened, try taro.opened.topUps())
                let approve = { () async throws -> Call<TopUp> in
                    try await stage.issuer.advance(seconds: 31)
                    let approval = try await topUps.prepareAtm(yen: 100)
                    let signature = try taro.host.authorize(approval.signingBytes())
                    return { cancel in
                        if let cancel { return try await approval.confirm(signature: signature, cancel: cancel) }
                        return try await approval.confirm(signature: signature)
                    }
                }
                var (balance, left) = (Int64(0), try #require(try wallet.home().topUpLeftYen))
                var disagreements = 0
                let settle = { (shown: String?) in
                    let known = try topUps.pending()
                    let home = try await wallet.refresh()
                    let pending = try topUps.pending()
                    if known != pending { disagreements += 1 }
                    let accepted = pending.filter { if case .accepted = $0.what { true } else { false } }
                    #expect(pending.count <= 1 && accepted == pending)
                    #expect(shown == nil || pending.map(\.id) == [shown])
                    left -= Int64(pending.count) * 100
                    #expect(home.topUpLeftYen == left)
                    for entry in pending {
                        try await stage.issuer.deposit(try #require(entry.topUp?.number), wallet, yen: 100)
                        balance += 100
                    }
                    #expect(try await wallet.refresh().balanceYen == balance)
                    #expect(try topUps.pending() == [])
                }
                let first = try await approve()
                let shown = Locked<String?>(nil)
                let points = try await Interruption.points(taro.host) {
                    let topUp = try await first(nil)
                    shown.with { $0 = topUp.intent }
                }
                try await settle(shown.now)
                try await giveUp(points) {
                    (taro.host, try await approve())
                } settle: { ended in
                    if case .done(let topUp) = ended { try await settle(topUp.intent) } else { try await settle(nil) }
                }
                return disagreements
            }
        }

        /// Signing up is gone on with afterwards, and ends with one account.
        @Test func signUpIsGivenUp() async throws {
            try await newcomers { person in
                let (account, number) = (try person.opened.account(), person.number)
                return { cancel in
                    if let cancel { return try await account.signUp(number: number, cancel: cancel).number.expose() }
                    return try await account.signUp(number: number).number.expose()
                }
            }
        }

        @Test func enteredCodeIsGivenUp() async throws {
            try await newcomers { person in
                let account = try person.opened.account()
                _ = try await account.signUp(number: person.number)
                let code = try await person.code()
                return { cancel in
                    if let cancel { return try await account.confirm(code: code, cancel: cancel) }
                    return try await account.confirm(code: code)
                }
            }
        }

        private func newcomers(_ call: @escaping (Person) async throws -> Call<String>) async throws {
            try await inWorld(unlimited) { stage in
                var person = try await stage.add("first", number: "090-1000-0000")
                let first = try await call(person)
                let points = try await Interruption.points(person.host) { try await first(nil) }
                var turn = 0
                try await giveUp(points) {
                    turn += 1
                    person = try await stage.add("newcomer", number: "090-1000-\(1000 + turn)")
                    return (person.host, try await call(person))
                } settle: { _ in
                    let account = try person.opened.account()
                    if try person.opened.home().state != .ready {
                        if try account.signUpInProgress() == nil { _ = try await account.signUp(number: person.number) }
                        _ = try await account.confirm(code: try await person.code())
                    }
                    let home = try await person.opened.refresh()
                    #expect(home.state == .ready && home.balanceYen == 0)
                    try await person.kill()
                }
            }
        }
    }
}
