//! `saifu scenario run|list|driver`. Every file is read before the first is played, so that a malformed one is refused at
//! once.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use futures_util::StreamExt as _;
use futures_util::stream::iter;
use serde::Serialize;

use crate::cli::{ScenarioCommand, ScenarioListArgs, ScenarioRunArgs};
use crate::context::Context;
use crate::failure::{Failure, LocalCode, Status, at};
use crate::report::Report;
use crate::scenario::{Played, Playing, Scenario, drive, hash, parse, play};

/// So many are played at a time. They share nothing, and most of their time is waiting: for disks, for answers that hang.
const AT_A_TIME: usize = 4;

pub(super) async fn run(command: ScenarioCommand, context: &Context) -> Result<Report, Failure> {
    match command {
        ScenarioCommand::Run(args) => play_all(args, context).await,
        ScenarioCommand::List(args) => list(&args),
        ScenarioCommand::Driver => drive(context).await.map(|()| Report::silent()),
    }
}

async fn play_all(args: ScenarioRunArgs, context: &Context) -> Result<Report, Failure> {
    #[derive(Serialize)]
    struct Document {
        scenarios: Vec<Played>,
        count: usize,
        hash: String,
    }
    let files = if args.all { files(&args.folder)? } else { args.files };
    let scenarios: Vec<Scenario> = files.iter().map(|file| read(file)).collect::<Result<_, _>>()?;
    let (log, driver) = (args.log.as_deref(), args.driver.as_deref());
    let playing = Playing { keep: args.keep, seed: args.seed, log, driver };
    let mut played = Vec::new();
    let mut ends = iter(&scenarios).map(|scenario| told(scenario, &playing)).buffered(AT_A_TIME);
    while let Some(end) = ends.next().await {
        let (lines, outcome) = end?;
        lines.iter().for_each(|line| context.printer.note(line));
        played.push(outcome);
    }
    drop(ends);
    let status = if played.iter().all(|played| played.ok) { Status::Done } else { LocalCode::ScenarioFailed.status() };
    let text = words(&played);
    let document = Document { count: played.len(), scenarios: played, hash: hash(&scenarios) };
    Ok(Report::new(&document, text)?.with_status(status))
}

/// Plays one, and keeps what is told of it until it is its turn.
async fn told(scenario: &Scenario, playing: &Playing<'_>) -> Result<(Vec<String>, Played), Failure> {
    let lines = Mutex::new(vec![format!("{}: {}", scenario.name, scenario.shows)]);
    let tell = |line: &str| lines.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned());
    let played = play(scenario, playing, tell).await?;
    Ok((lines.into_inner().unwrap_or_else(PoisonError::into_inner), played))
}

fn words(played: &[Played]) -> String {
    let mut lines: Vec<String> = played.iter().filter_map(failed).collect();
    let ok = played.iter().filter(|played| played.ok).count();
    lines.push(format!("{ok} of {} scenarios did what they show", played.len()));
    lines.join("\n")
}

fn failed(played: &Played) -> Option<String> {
    let failure = played.failure.as_ref()?;
    let step = match (failure.step, failure.verb) {
        (Some(step), Some(verb)) => format!("$.steps[{step}] ({verb})"),
        _ => "outside its steps".to_owned(),
    };
    let path = failure.path.as_ref().map(|path| format!(" at {path}")).unwrap_or_default();
    Some(format!(
        "{}: {step}{path}\n  expected  {}\n  seen      {}\n  folder    {}",
        played.name,
        failure.expected,
        failure.seen,
        failure.folder.display()
    ))
}

fn list(args: &ScenarioListArgs) -> Result<Report, Failure> {
    #[derive(Serialize)]
    struct Row {
        name: String,
        shows: String,
        steps: usize,
        file: PathBuf,
    }
    #[derive(Serialize)]
    struct Document {
        scenarios: Vec<Row>,
        count: usize,
    }
    let mut rows = Vec::new();
    for file in files(&args.folder)? {
        let scenario = read(&file)?;
        rows.push(Row { steps: scenario.len(), name: scenario.name, shows: scenario.shows, file });
    }
    let text = super::table(&["name", "shows"], rows.iter().map(|row| vec![row.name.clone(), row.shows.clone()]));
    Report::new(&Document { count: rows.len(), scenarios: rows }, text)
}

/// The scenarios of a folder, by name. None at all is a mistake: nothing would be shown by playing it.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort_by_key(|file| file.file_stem().map(std::ffi::OsStr::to_owned));
    if files.is_empty() {
        return Err(LocalCode::BadInput.detail(format!("{}: there is no scenario", folder.display())));
    }
    Ok(files)
}

fn read(file: &Path) -> Result<Scenario, Failure> {
    let text = std::fs::read_to_string(file).map_err(at(file))?;
    let wrong = |what: &dyn std::fmt::Display| LocalCode::BadInput.detail(format!("{}: {what}", file.display()));
    let scenario = parse(&text).map_err(|malformed| wrong(&malformed))?;
    if file.file_stem().and_then(|stem| stem.to_str()) != Some(scenario.name.as_str()) {
        return Err(wrong(&format!("$.name: it is `{}`, not the file's name", scenario.name)));
    }
    Ok(scenario)
}
