import Foundation
import SaifuHarness
import SaifuTestSupport
import Testing

extension Bindings {
    /// The scenarios that Rust plays, played through the bindings.
    @Suite struct ScenarioTests {
        @Test func everyScenarioShowsWhatItSays() async throws {
            let world = try World()
            let verbs = try Verbs(try await world.verbs())
            // Every file is read before the first is played.
            let scenarios = try Place.files("tests/scenarios", "json").map { file in
                let scenario = try Scenario(Data(contentsOf: file), verbs: verbs)
                #expect(scenario.name == file.deletingPathExtension().lastPathComponent)
                return scenario
            }
            try #require(!scenarios.isEmpty)
            let runner = ScenarioRunner(world)
            var played: [ScenarioRunner.Played] = []
            for scenario in scenarios {
                let one = await runner.play(scenario)
                #expect(one.ok, "\(one.json)")
                played.append(one)
            }
            await world.close()
            // As `docs/scenarios.md` says; the gate compares it with Rust's.
            if let path = ProcessInfo.processInfo.environment["SAIFU_SCENARIO_REPORT"] {
                let report: Json = [
                    "scenarios": .list(played.map(\.json)), "count": .number(played.count),
                    "hash": .text(Scenario.hash(scenarios)),
                ]
                try Data(report.canonical.utf8).write(to: URL(fileURLWithPath: path))
            }
        }

        @Test func whatTheFormatDoesNotHaveIsRefusedByItsPlace() async throws {
            let world = try World()
            let verbs = try Verbs(try await world.verbs())
            await world.close()
            let good: Json = [
                "name": "n", "shows": "s", "personas": ["taro": ["number": "090-1234-5678"]],
                "steps": [
                    ["do": "wallet.sign-up", "as": "taro", "save": ["ends": "expires_at"]],
                    ["do": "wallet.home", "as": "taro", "within": "1m", "expect": ["as_of": ["lte": "${ends}"]]],
                    ["do": "register.scan", "digits": "1", "yen": 5],
                ],
            ]
            _ = try Scenario(Data(good.canonical.utf8), verbs: verbs)
            let wrong: [(path: [String], value: Json, place: String)] = [
                (["extra"], 1, "$.extra"), (["name"], "Big", "$.name"), (["policy"], 1, "$.policy"),
                (["personas", "taro", "state"], "rich", "$.personas.taro.state"),
                (["personas", "taro", "balance_yen"], 5, "$.personas.taro.balance_yen"),
                (["steps"], [], "$.steps"), (["steps", "0", "do"], "wallet.fly", "$.steps[0].do"),
                (["steps", "0", "as"], "hanako", "$.steps[0].as"), (["steps", "0", "yen"], 1, "$.steps[0].yen"),
                (["steps", "0", "within"], "1m", "$.steps[0].within"),
                (["steps", "0", "save"], ["x": "balance_yen"], "$.steps[0].save.x"),
                (["steps", "1", "within"], "1 m", "$.steps[1].within"),
                (["steps", "1", "expect"], ["as_of": ["above": 1]], "$.steps[1].expect.as_of"),
                (["steps", "1", "expect"], ["balanse": 1], "$.steps[1].expect.balanse"),
                (["steps", "1", "expect"], ["as_of": "${nobody}"], "$.steps[1]"),
                (["steps", "2", "yen"], "5", "$.steps[2].yen"), (["steps", "2", "yen"], 0, "$.steps[2].yen"),
                (["steps", "2", "as"], "atm-1", "$.steps[2].as"), (["steps", "2", "digits"], 5, "$.steps[2].digits"),
            ]
            for (path, value, place) in wrong {
                let file = Data(good.with(value, at: path[...]).canonical.utf8)
                #expect {
                    try Scenario(file, verbs: verbs)
                } throws: {
                    ($0 as? Scenario.Malformed)?.path == place
                }
            }
        }

        /// A runner that believes everything would be as green as one that checks.
        @Test func scenarioThatExpectsSomethingElseFails() async throws {
            let world = try World()
            let verbs = try Verbs(try await world.verbs())
            let file: Json = [
                "name": "n", "shows": "s", "personas": ["taro": ["number": "090-1234-5678"]],
                "steps": [
                    ["do": "wallet.home", "as": "taro", "expect": ["balance_yen": ["null": true]]],
                    ["do": "wallet.home", "as": "taro", "expect": ["state": "ready"]],
                ],
            ]
            let played = await ScenarioRunner(world).play(try Scenario(Data(file.canonical.utf8), verbs: verbs))
            #expect(!played.ok && played.steps == 1 && played.failure != nil)
            await world.close()
        }

        /// What a kill leaves is what was on the disk when the issuer had the request; without a hold there is no such moment.
        @Test func killInTheMiddleOfACallTakesAHold() async throws {
            let world = try World()
            let verbs = try Verbs(try await world.verbs())
            let kill: Json = ["do": "wallet.top-up", "as": "taro", "yen": 700, "killed": true]
            let held: Json = [
                ["do": "sandbox.fault", "on": "top-up", "act": "hang-after"], kill,
                ["do": "wallet.reopen", "as": "taro"],
                ["do": "wallet.pending", "as": "taro", "expect": ["count": 1, "entries.0.kind": "unknown"]],
                ["do": "wallet.refresh", "as": "taro", "expect": ["top_up_left_yen": 9_300]],
                ["do": "wallet.pending", "as": "taro", "expect": ["count": 1, "entries.0.kind": "top-up"]],
            ]
            for (steps, done, why) in [(held, 6, nil), ([kill], 0, "the call ended before the issuer held it")] {
                let file: Json = [
                    "name": "n", "shows": "s", "personas": ["taro": ["number": "090-1234-5678", "state": "starter"]],
                    "steps": steps,
                ]
                let scenario = try Scenario(Data(file.canonical.utf8), verbs: verbs)
                let played = await ScenarioRunner(world).play(scenario)
                #expect(played.steps == done && played.failure?.seen == why.map { .text($0) }, "\(played.json)")
            }
            await world.close()
        }

        @Test func canonicalTextIsThatOfEveryLanguage() throws {
            let file = Data(#"{"b": [1, -2, true, null], "a": "ä\"\\\n\u0007/\u001f", "B": {}}"#.utf8)
            #expect(try Json.read(file).canonical == #"{"B":{},"a":"ä\"\\\n\u0007/\u001f","b":[1,-2,true,null]}"#)
        }
    }
}

extension Json {
    /// The same with another value at that place.
    fileprivate func with(_ value: Json, at path: ArraySlice<String>) -> Json {
        guard let first = path.first else { return value }
        if var items = list, let index = Int(first) {
            items[index] = items[index].with(value, at: path.dropFirst())
            return .list(items)
        }
        var fields = object ?? [:]
        fields[first] = (fields[first] ?? .null).with(value, at: path.dropFirst())
        return .object(fields)
    }
}
