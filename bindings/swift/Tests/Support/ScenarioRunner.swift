import Foundation
import Saifu

/// Plays scenarios with wallets of its own, through the bindings. The rules are those of `docs/scenarios.md`.
public struct ScenarioRunner {
    /// How a scenario went.
    public struct Played: Sendable {
        public let name: String
        /// Steps that did what was expected.
        public let steps: Int
        public let failure: Failure?

        public var ok: Bool { failure == nil }

        /// As a report has it.
        public var json: Json {
            [
                "name": .text(name), "steps": .number(steps), "ok": .flag(ok), "failure": failure.map(\.json) ?? .null,
            ]
        }
    }

    /// What was not as expected.
    public struct Failure: Sendable {
        /// Counted from 0; `nil` when it happened before or after the steps.
        let step: Int?
        let verb: String?
        /// Where in the outcome.
        let path: String?
        let expected: Json
        public let seen: Json
        /// The issuer's and the wallets' files.
        let folder: String?

        fileprivate var json: Json {
            [
                "code": "scenario-failed", "step": .maybe(step), "do": .maybe(verb), "path": .maybe(path),
                "expected": expected, "seen": seen, "folder": .maybe(folder),
            ]
        }
    }

    /// What does not fit.
    private struct Misfit: Error {
        var path: String?
        let expected: Json
        let seen: Json
    }

    /// After a persona has topped up: its TOTP code and the pause between two top-ups are over.
    private static let afterTopUpSeconds: Int64 = 61
    /// `within` moves the clock in so many pieces.
    private static let pieces: Int64 = 20

    private let world: World

    public init(_ world: World) { self.world = world }

    /// Plays one scenario from its beginning.
    public func play(_ scenario: Scenario) async -> Played {
        var (done, folder, failed): (Int, String?, (step: Int?, misfit: Misfit)?) = (0, nil, nil)
        do {
            let stage = try await world.begin(policy: scenario.policy)
            folder = stage.folder.path
            failed = await steps(of: scenario, stage, &done)
            let keep = failed != nil
            let audit = try await stage.leave { try await world.end(keep: keep) }
            if failed == nil, audit != .null, audit["ok"] != true {
                failed = (nil, Misfit(expected: "books that balance", seen: audit))
            }
        } catch {
            failed = failed ?? (nil, Self.misfit("a world", error))
        }
        let failure = failed.map { step, misfit in
            Failure(
                step: step, verb: step.map { scenario.steps[$0].verb.name }, path: misfit.path,
                expected: misfit.expected, seen: misfit.seen, folder: folder)
        }
        return Played(name: scenario.name, steps: done, failure: failure)
    }

    private func steps(
        of scenario: Scenario, _ stage: Stage, _ done: inout Int
    ) async -> (step: Int?, misfit: Misfit)? {
        for name in scenario.personas.keys.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            do {
                try await begin(name, scenario.personas[name]!, stage)
            } catch {
                return (nil, Self.misfit("\(name) begins", error))
            }
        }
        var saved: [String: Json] = [:]
        for (index, step) in scenario.steps.enumerated() {
            do {
                try await play(step, stage, scenario, &saved)
            } catch let misfit as Misfit {
                return (index, misfit)
            } catch {
                return (index, Self.misfit("a step that can be done", error))
            }
            done = index + 1
        }
        return nil
    }

    /// Brings a persona to where it starts, by the same verbs that a scenario has.
    private func begin(_ name: String, _ persona: Scenario.Persona, _ stage: Stage) async throws {
        let person = try await stage.add(name, number: persona.number)
        guard persona.signedUp else { return }
        _ = try await stage.performWallet("wallet.sign-up", as: name, [:])
        _ = try await stage.performWallet("wallet.confirm", as: name, [:])
        if let yen = persona.balanceYen {
            try await person.deposit(try await person.topUp(yen: yen))
            try await world.advance(seconds: Self.afterTopUpSeconds)
        }
        _ = try await stage.performWallet("wallet.refresh", as: name, [:])
    }

    /// One step, repeated while time passes if it has a `within`.
    private func play(
        _ step: Scenario.Step, _ stage: Stage, _ scenario: Scenario, _ saved: inout [String: Json]
    ) async throws {
        let arguments = step.arguments.mapValues { Reference.fill($0, saved) }
        let expected = step.expect.mapValues { $0.filled(saved) }
        var left = step.withinSeconds ?? 0
        let piece = max(1, left / Self.pieces)
        while true {
            let outcome = try await perform(step, stage, scenario, arguments)
            do {
                try Self.fits(outcome, expected)
                return try Self.keep(step.save, outcome, &saved)
            } catch {
                guard left > 0 else { throw error }
            }
            try await world.advance(seconds: min(piece, left))
            left -= min(piece, left)
        }
    }

    private func perform(
        _ step: Scenario.Step, _ stage: Stage, _ scenario: Scenario, _ arguments: [String: Json]
    ) async throws -> Json {
        do {
            if step.verb.name.hasPrefix("wallet.") {
                return try await stage.performWallet(step.verb.name, as: step.who, arguments)
            }
            let number = step.who.flatMap { scenario.personas[$0]?.number }
            return try await world.perform(step.verb.name, as: step.who, number: number, arguments)
        } catch let refusal as Refusal {
            return refusal.document
        }
    }

    private static func fits(_ outcome: Json, _ expected: [String: Expectation]) throws {
        for path in expected.keys.sorted() {
            let seen = outcome.at(path)
            if let expectation = expected[path], !expectation.met(seen) {
                let absent: Json = ["absent": true, "outcome": outcome]
                throw Misfit(path: path, expected: expectation.json, seen: seen ?? absent)
            }
        }
        if outcome["error"] != nil, expected["error"] == nil {
            throw Misfit(expected: "no refusal", seen: outcome)
        }
        if outcome["result"] == "declined", expected["result"] == nil, expected["reason"] == nil {
            throw Misfit(expected: "no decline", seen: outcome)
        }
    }

    private static func keep(_ save: [String: String], _ outcome: Json, _ saved: inout [String: Json]) throws {
        for (name, path) in save {
            switch outcome.at(path) {
            case .text, .flag, .whole: saved[name] = outcome.at(path)
            case let other:
                throw Misfit(path: path, expected: "a text, number or flag to save", seen: other ?? .null)
            }
        }
    }

    private static func misfit(_ what: String, _ error: any Error) -> Misfit {
        switch error {
        case let misfit as Misfit: misfit
        case let refusal as Refusal: Misfit(expected: .text(what), seen: refusal.document)
        case let error as WalletError: Misfit(expected: .text(what), seen: error.outcome)
        default: Misfit(expected: .text(what), seen: .text(String(describing: error)))
        }
    }
}
