import Foundation
import Saifu
import SaifuHarness
import SaifuTestSupport
import Testing

extension Bindings {
    /// The hosts of these tests keep the contract that every host keeps, in any language.
    @Suite struct HostTests {
        private func findings(_ file: URL, lying: HostCall? = nil) throws -> [String] {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("host-\(UUID())")
            defer { try? FileManager.default.removeItem(at: folder) }
            let open = {
                let host = TroubledHost(try TestHost(folder: folder, clock: ShiftedClock()))
                if let lying { host.set(.lies, on: lying) }
                return host
            }
            let subject = Conformance.Subject(open: open, authorize: { try open().inner.authorize($0) })
            return try Conformance.findings(Data(contentsOf: file), subject)
        }

        @Test func linuxHostConforms() throws {
            let files = try Place.files("core/host/conformance", "json")
            let names = ["authorization.json", "clock.json", "keys.json", "secrets.json"]
            #expect(files.map(\.lastPathComponent) == names)
            for file in files {
                #expect(try findings(file) == [], "\(file.lastPathComponent)")
            }
        }

        /// The control: a host that lies in one call is found out, whichever call it is.
        @Test(arguments: [
            (HostCall.info, "keys.json"), (.create, "keys.json"), (.sign, "keys.json"), (.delete, "keys.json"),
            (.seal, "secrets.json"), (.unseal, "secrets.json"), (.id, "secrets.json"), (.renew, "secrets.json"),
            (.retire, "secrets.json"), (.read, "clock.json"),
        ])
        func lyingHostIsFoundOut(call: HostCall, file: String) throws {
            let file = Place.root.appendingPathComponent("core/host/conformance").appendingPathComponent(file)
            #expect(try findings(file, lying: call) != [])
        }

        @Test(arguments: [
            #"{"do": "keys.steal"}"#, #"{"do": "reopen", "rule": "r", "expect": {"luck": true}}"#,
            #"{"do": "reopen", "rule": "r", "expect": {"valid": true}}"#,
            #"{"do": "secrets.unseal", "sealed": "nothing"}"#,
        ])
        func stepThatIsNotKnownEndsThePlay(step: String) throws {
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("steps-\(UUID()).json")
            defer { try? FileManager.default.removeItem(at: file) }
            try Data(#"{"about": "a", "steps": [\#(step)]}"#.utf8).write(to: file)
            #expect(throws: Broken.self) { try findings(file) }
        }
    }
}
