//! The `saifu` command.
fn main() {}
