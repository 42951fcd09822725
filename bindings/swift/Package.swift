// swift-tools-version: 6.0
import Foundation
import PackageDescription

/// The wallet for iOS: `import Saifu`, and for an app's tests `import SaifuTestSupport`. README.md says how it is built.
///
/// `SaifuGenerated` is written by `cargo xtask bindgen swift` and not committed. On Apple platforms the Rust library
/// comes as `Saifu.xcframework` (xcframework.sh); without it, as on Linux, from the linker's search path.
let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
let framework = FileManager.default.fileExists(atPath: here.appendingPathComponent("Saifu.xcframework").path)

var targets: [Target] = [
    framework
        ? .binaryTarget(name: "SaifuFFI", path: "Saifu.xcframework")
        : .systemLibrary(name: "SaifuFFI"),
    .target(name: "SaifuGenerated", dependencies: ["SaifuFFI"]),
    .target(name: "Saifu", dependencies: ["SaifuGenerated"]),
]

// Keys for tests: CryptoKit's on a Mac, OpenSSL's on Linux. The package's own tests run there, against the `saifu` command.
#if os(Linux)
    let keys: [Target.Dependency] = ["COpenSSL"]
    targets += [
        .systemLibrary(name: "COpenSSL"),
        .target(name: "SaifuHarness", dependencies: ["Saifu", "SaifuTestSupport", "COpenSSL"], path: "Tests/Support"),
        .target(name: "SaifuExamples", dependencies: ["Saifu"], path: "Examples"),
        .executableTarget(name: "ColdStart", dependencies: ["SaifuHarness"], path: "Tests/ColdStart"),
        .executableTarget(name: "ScenarioDriver", dependencies: ["SaifuHarness"], path: "Tests/ScenarioDriver"),
        .testTarget(
            name: "SaifuTests",
            dependencies: ["Saifu", "SaifuTestSupport", "SaifuHarness", "SaifuExamples", "ColdStart"]),
    ]
#else
    let keys: [Target.Dependency] = []
#endif
targets.append(.target(name: "SaifuTestSupport", dependencies: ["Saifu"] + keys))

let package = Package(
    name: "Saifu",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [
        .library(name: "Saifu", targets: ["Saifu"]),
        .library(name: "SaifuTestSupport", targets: ["SaifuTestSupport"]),
    ],
    targets: targets,
    swiftLanguageModes: [.v6]
)
