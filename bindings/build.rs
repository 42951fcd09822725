//! How the library that ships is linked, wherever that is done: its relocations packed, which are 4 % of it otherwise. A debug
//! library is left alone, for whatever C library a developer has. docs/decisions/009 has the figures.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let named = |name: &str| env::var(name).unwrap_or_default();
    if named("PROFILE") != "release" {
        return;
    }
    match named("CARGO_CFG_TARGET_OS").as_str() {
        // Android 6 and later read this form.
        "android" => println!("cargo::rustc-link-arg=-Wl,--pack-dyn-relocs=android"),
        // glibc 2.36 and later read this one.
        "linux" => println!("cargo::rustc-link-arg=-Wl,-z,pack-relative-relocs"),
        // Apple's linkers pack by themselves.
        _ => {}
    }
}
