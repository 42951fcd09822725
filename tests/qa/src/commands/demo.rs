//! `saifu demo`, and bare `saifu`: the whole flow in a temporary folder. Every part is a process of its own: this very
//! command, run again with `--json`, so what is shown is what a script gets.

mod child;
mod flow;
mod picture;

use std::time::{Duration, Instant};

use saifu::Yen;
use serde::Serialize;
use serde_json::json;

use crate::cli::DemoArgs;
use crate::context::Context;
use crate::failure::{Failure, LocalCode};
use crate::files::{self, Readers};
use crate::picture::Cells;
use crate::report::Report;
use crate::words::shown_path;
use flow::Flow;
use picture::ScreenLine;

/// One step, as it went.
#[derive(Serialize)]
struct PlayedStep {
    name: &'static str,
    ms: u64,
    ok: bool,
}

/// Shows each step as it happens and remembers it for the table and the picture.
struct Stage<'a> {
    context: &'a Context,
    steps: Vec<PlayedStep>,
    lines: Vec<ScreenLine>,
}

impl Stage<'_> {
    /// What a person reads: on stdout, or on stderr when stdout is for programs.
    fn say(&mut self, text: &str) -> Result<(), Failure> {
        self.lines.extend(text.split('\n').map(|line| ScreenLine::Text(line.to_owned())));
        let printer = self.context.printer;
        match (printer.json(), printer.quiet()) {
            (true, _) => printer.note(text),
            (false, true) => {}
            (false, false) => printer.raw(format!("{text}\n").as_bytes())?,
        }
        Ok(())
    }

    /// A symbol, black on white.
    fn draw(&mut self, cells: &Cells) -> Result<(), Failure> {
        self.lines.extend(cells.rows().iter().map(|row| ScreenLine::Paper(row.clone())));
        if self.context.printer.json() || self.context.printer.quiet() {
            return Ok(());
        }
        let (columns, _) = self.context.printer.room();
        self.context.printer.raw(cells.fitting(columns, self.context.printer.colours()).as_bytes())
    }

    /// Runs one step. Its own time counts, not the time to show it.
    async fn step<T>(
        &mut self,
        name: &'static str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let started = Instant::now();
        let outcome = work.await;
        let ms = millis(started.elapsed());
        self.steps.push(PlayedStep { name, ms, ok: outcome.is_ok() });
        match outcome {
            Ok(value) => {
                self.say(&format!("  ok {ms:>6} ms  {name}"))?;
                Ok(value)
            }
            Err(failure) => {
                self.say(&format!("  FAILED {ms} ms  {name}"))?;
                let why = failure.detail().map(str::to_owned).unwrap_or_else(|| failure.text());
                Err(LocalCode::StepFailed.detail(format!("step `{name}`: {why}")))
            }
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

pub(super) async fn run(args: DemoArgs, context: &Context) -> Result<Report, Failure> {
    if let Some(out) = &args.out
        && crate::picture::Format::of(out)? != crate::picture::Format::Svg
    {
        return Err(LocalCode::BadInput.detail(format!("{}: the demo draws SVG only", out.display())));
    }
    let folder = tempfile::Builder::new().prefix("saifu-demo-").tempdir();
    let mut folder = folder.map_err(|error| LocalCode::FileFailed.detail(format!("a temporary folder: {error}")))?;
    folder.disable_cleanup(args.keep);
    let mut stage = Stage { context, steps: Vec::new(), lines: Vec::new() };
    stage.say("Saifu: sign up, be robbed in vain, top up, pay. Each line is a process.")?;
    stage.say("The wallets' keys lie in files of a temporary folder.\n")?;
    let played = Flow::new(folder.path())?.play(&mut stage).await;
    if args.keep {
        context.printer.note(&format!("kept: {}", shown_path(folder.path())));
    }
    let balance_yen = played?;
    stage.say(&closing(&stage.steps, balance_yen))?;
    if let Some(out) = &args.out {
        files::write(out, picture::svg(&stage.lines).as_bytes(), Readers::Usual)?;
    }
    report(stage.steps, balance_yen, context.printer.quiet())
}

fn report(steps: Vec<PlayedStep>, balance_yen: Yen, quiet: bool) -> Result<Report, Failure> {
    // What was said as it happened is not said again.
    let text = if quiet { format!("The balance is {balance_yen}.") } else { String::new() };
    Report::new(json!({ "steps": steps, "balance_yen": balance_yen }), text)
}

fn closing(steps: &[PlayedStep], balance: Yen) -> String {
    let total = steps.iter().fold(0, |sum, step| step.ms.saturating_add(sum));
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join("saifu").is_file()));
    let install = if found { "" } else { "\n  cargo install --debug --locked --path tests/qa    the command `saifu`" };
    format!(
        "\n{} steps in {total} ms. The balance is {balance}. To go on by hand:{install}\n\
         \x20 saifu sandbox                                     an issuer that stays\n\
         \x20 saifu wallet signup --number 090-1234-5678        a wallet of your own\n\
         \x20 saifu sandbox sms --number 090-1234-5678          its SMS inbox",
        steps.len()
    )
}
