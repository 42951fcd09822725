//! The `saifu` command. Everything is in the library beside it, so that tests reach it too.

/// Runs the command line of this process.
fn main() -> std::process::ExitCode {
    saifu_qa::main()
}
