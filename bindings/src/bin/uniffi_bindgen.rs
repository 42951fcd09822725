//! Writes the Kotlin and Swift code that belongs to a built library. `cargo xtask bindgen` calls it.

fn main() {
    uniffi::uniffi_bindgen_main();
}
