// swift-tools-version: 6.0
import Foundation
import PackageDescription

/// The wallet for iOS: `import Saifu`. README.md says how it is built.
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

// The tests run on Linux: they need OpenSSL for a key store and the `saifu` command for an issuer.
#if os(Linux)
    targets += [
        .systemLibrary(name: "COpenSSL", path: "Tests/COpenSSL"),
        .target(name: "SaifuTestSupport", dependencies: ["Saifu", "COpenSSL"], path: "Tests/Support"),
        .target(name: "SaifuExamples", dependencies: ["Saifu"], path: "Examples"),
        .executableTarget(name: "ColdStart", dependencies: ["SaifuTestSupport"], path: "Tests/ColdStart"),
        .testTarget(name: "SaifuTests", dependencies: ["Saifu", "SaifuTestSupport", "SaifuExamples", "ColdStart"]),
    ]
#endif

let package = Package(
    name: "Saifu",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [.library(name: "Saifu", targets: ["Saifu"])],
    targets: targets,
    swiftLanguageModes: [.v6]
)
