#!/bin/sh
# Makes Saifu.xcframework and the generated Swift code beside it, for an iOS app to link. Needs a Mac with Xcode 16 and the
# three targets (rustup target add aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios).
#
# It has not been run where this project is made, which has no Mac. What is checked there: `cargo xtask ios-check` makes the
# iPhone's static library, and the package builds against the same generated code on Linux.
set -eu
cd "$(dirname "$0")/../.."
package=bindings/swift
build=target/xcframework
export IPHONEOS_DEPLOYMENT_TARGET=17.0

# The generator reads a debug library: the one that ships has no symbols left.
cargo rustc -p saifu-ffi --lib --crate-type cdylib
cargo run -p saifu-ffi --features bindgen --bin uniffi-bindgen -- generate --language swift --no-format \
    --out-dir target/bindings/swift target/debug/libsaifu_ffi.dylib
cp target/bindings/swift/Saifu.swift "$package/Sources/SaifuGenerated/"

# A framework's module map must not name the library: the linker gets it from the framework.
rm -rf "$build" "$package/Saifu.xcframework"
mkdir -p "$build/headers/SaifuFFI" "$build/simulator"
cp target/bindings/swift/SaifuFFI.h "$build/headers/SaifuFFI/"
sed '/link "saifu_ffi"/d' "$package/Sources/SaifuFFI/module.modulemap" > "$build/headers/SaifuFFI/module.modulemap"

for target in aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios; do
    cargo rustc --release -p saifu-ffi --lib --crate-type staticlib --target "$target"
done
lipo -create -output "$build/simulator/libsaifu_ffi.a" \
    target/aarch64-apple-ios-sim/release/libsaifu_ffi.a target/x86_64-apple-ios/release/libsaifu_ffi.a

xcodebuild -create-xcframework \
    -library target/aarch64-apple-ios/release/libsaifu_ffi.a -headers "$build/headers" \
    -library "$build/simulator/libsaifu_ffi.a" -headers "$build/headers" \
    -output "$package/Saifu.xcframework"
echo "$package/Saifu.xcframework"
