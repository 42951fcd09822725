import Foundation
import SaifuHarness
import SaifuTestSupport

// Started by MeasureTests, once for every cold start that it measures.
let times = try ColdStart.main(CommandLine.arguments.last ?? "")
try FileHandle.standardOutput.write(contentsOf: JSONEncoder().encode(times))
