//! The Android app's screens in windows beside a sandbox, for QA; or one of them as a picture.

use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::ffi::{self, Language, kotlin};
use crate::process::Runner;

/// How it is looked at.
#[derive(clap::Args)]
pub(crate) struct AppArgs {
    /// Draw this screen to pictures instead, in every state: `home`, or one state, `home/usual`.
    #[arg(long, value_name = "SCREEN")]
    shot: Option<String>,
    /// So many wallets, a window each.
    #[arg(long, value_name = "N", default_value_t = 1)]
    wallets: u8,
    /// The window, in dp.
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "360x740")]
    size: String,
    /// Light letters on dark paper.
    #[arg(long)]
    dark: bool,
    /// `ja` or `en`.
    #[arg(long, value_name = "TAG", default_value = "ja")]
    language: String,
    /// The size of text, in per cent.
    #[arg(long, value_name = "N", default_value_t = 100)]
    text: u16,
}

/// Builds what is missing and shows it, until the last window is closed.
pub(crate) fn run(args: &AppArgs) -> io::Result<u8> {
    let runner = Runner::new("app", None)?;
    let (saifu, bindings) = (runner.saifu()?, ffi::generate(&runner, Language::Kotlin)?);
    let shot = args.shot.as_ref().map(|screen| format!("-Dsaifu.shot={screen}"));
    let what = match &shot {
        Some(shot) => &["-Dtest=PicturesTest", "-Dsurefire.failIfNoSpecifiedTests=false", shot][..],
        None => &["-DskipTests"],
    };
    let arguments = [&["-Dsaifu.tests.skipped=true"], what].concat();
    let ended = kotlin::test(&runner, &saifu, &bindings, kotlin::APP, &arguments, &[])?;
    if !ended.success {
        return Err(io::Error::other(crate::process::excerpt("mvn", &ended.output)));
    }
    let built = runner.workspace.target.join("android");
    if args.shot.is_some() {
        println!("{}", built.join("desktop/pictures").display());
        return Ok(0);
    }
    let home = runner.scratch.join("app-home");
    let mut sandbox = Command::new(&saifu).args(["sandbox", "--home"]).arg(&home).stdin(Stdio::null()).spawn()?;
    let mut answers = Command::new(&saifu);
    answers.args(["sandbox", "status", "--home"]).arg(&home).stdout(Stdio::null()).stderr(Stdio::null());
    while sandbox.try_wait()?.is_none() && !answers.status()?.success() {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let shown = show(args, &home, &built.join("desktop/app.args"));
    // Whatever became of the windows, nobody is left behind.
    sandbox.kill()?;
    sandbox.wait()?;
    shown
}

/// A window for each wallet, until the last one is closed.
fn show(args: &AppArgs, home: &Path, java_arguments: &Path) -> io::Result<u8> {
    let (dark, text) = (if args.dark { "yes" } else { "no" }, args.text.to_string());
    let windows = (1..=args.wallets).map(|number| {
        let mut java = Command::new("java");
        java.arg(format!("@{}", java_arguments.display()));
        java.args(["--size", &args.size, "--dark", dark, "--language", &args.language, "--text", &text]);
        java.arg("--sandbox").arg(home.join("sandbox/sandbox.json"));
        java.arg("--folder").arg(home.join(format!("app-{number}"))).spawn()
    });
    let mut code = 0;
    for mut window in windows.collect::<io::Result<Vec<Child>>>()? {
        code |= u8::from(!window.wait()?.success());
    }
    Ok(code)
}
