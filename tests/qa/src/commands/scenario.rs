//! `saifu scenario run|list|record|driver`. Every file is read before the first is played, so that a malformed one is refused at
//! once.

mod record;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::iter;
use serde_json::json;

use crate::cli::{ScenarioCommand, ScenarioRunArgs};
use crate::context::Context;
use crate::failure::{Failure, LocalCode, Status, at};
use crate::files;
use crate::report::Report;
use crate::scenario::{FailedStep, POLICY, Played, Playing, Scenario, drive, hash, parse, play};
use crate::words::shown_path;

/// More than any scenario has.
const MOST_BYTES: u64 = 1_000_000;

/// So many are played at a time. They share nothing, and most of their time is waiting: for disks, for answers that hang.
const AT_A_TIME: usize = 4;
/// How often a watched file is looked at.
const LOOK: Duration = Duration::from_millis(300);

pub(super) async fn run(command: ScenarioCommand, context: &Context) -> Result<Report, Failure> {
    match command {
        ScenarioCommand::Run(args) => play_all(args, context).await,
        ScenarioCommand::List { folder } => list(&folder),
        ScenarioCommand::Record { file } => record::run(&file, context).await,
        ScenarioCommand::Driver => drive(context).await.map(|()| Report::silent()),
    }
}

/// Plays what is asked for, again and again with `--watch`.
async fn play_all(args: ScenarioRunArgs, context: &Context) -> Result<Report, Failure> {
    let (log, driver) = (args.log.as_deref(), args.driver.as_deref());
    let playing = Playing { keep: args.keep, seed: args.seed, log, driver };
    if !args.watch {
        return round(&wanted(&args)?, &playing, context).await;
    }
    tokio::select! {
        watched = watch(&args, &playing, context) => watched.map(|()| Report::silent()),
        stopped = super::sandbox::stopped() => stopped.map(|()| Report::silent()),
    }
}

/// Plays all of it once, then whatever has changed. A file that cannot be read is told of and waited for.
async fn watch(args: &ScenarioRunArgs, playing: &Playing<'_>, context: &Context) -> Result<(), Failure> {
    let mut known = BTreeMap::new();
    loop {
        let seen: BTreeMap<PathBuf, Option<Vec<u8>>> =
            wanted(args)?.into_iter().map(|file| (file.clone(), files::read(&file, MOST_BYTES).ok())).collect();
        let changed: Vec<PathBuf> =
            seen.iter().filter(|(file, text)| known.get(*file) != Some(*text)).map(|(file, _)| file.clone()).collect();
        known = seen;
        if !changed.is_empty() {
            match round(&changed, playing, context).await {
                Ok(report) => context.printer.report(&report)?,
                Err(failure) => context.printer.failure(&failure),
            }
            context.printer.note("waiting for a change; Ctrl-C ends it");
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn wanted(args: &ScenarioRunArgs) -> Result<Vec<PathBuf>, Failure> {
    if args.all { files(&args.folder) } else { Ok(args.files.clone()) }
}

async fn round(files: &[PathBuf], playing: &Playing<'_>, context: &Context) -> Result<Report, Failure> {
    let scenarios: Vec<Scenario> = files.iter().map(|file| read(file)).collect::<Result<_, _>>()?;
    // One alone is told step by step; of several at a time that would be nobody's story.
    let live = if scenarios.len() == 1 { Some(context) } else { None };
    let mut played = Vec::new();
    let mut ends = iter(&scenarios).map(|scenario| told(scenario, playing, live)).buffered(AT_A_TIME);
    while let Some(end) = ends.next().await {
        let (lines, outcome) = end?;
        lines.iter().for_each(|line| context.printer.note(line));
        played.push(outcome);
    }
    drop(ends);
    let status = if played.iter().all(|played| played.ok) { Status::Done } else { LocalCode::ScenarioFailed.status() };
    let text = words(&played);
    let document = json!({ "scenarios": played, "count": played.len(), "hash": hash(&scenarios) });
    Ok(Report::new(document, text)?.with_status(status))
}

/// Plays one, and keeps what is told of it until it is its turn.
async fn told(
    scenario: &Scenario,
    playing: &Playing<'_>,
    live: Option<&Context>,
) -> Result<(Vec<String>, Played), Failure> {
    let lines = Mutex::new(Vec::new());
    let tell = |line: &str| match live {
        Some(context) => context.printer.note(line),
        None => lines.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned()),
    };
    tell(&format!("{}: {}", scenario.name, scenario.shows));
    let played = play(scenario, playing, tell).await?;
    Ok((lines.into_inner().unwrap_or_else(PoisonError::into_inner), played))
}

fn words(played: &[Played]) -> String {
    let mut lines: Vec<String> = played.iter().filter_map(failed).collect();
    let ok = played.iter().filter(|played| played.ok).count();
    lines.push(format!("{ok} of {} scenarios did what they show", played.len()));
    lines.join("\n")
}

/// Which step, what was expected and what was seen; and how to look at what it left.
fn failed(played: &Played) -> Option<String> {
    let FailedStep { verb, who, place, path, expected, seen, folder, .. } = played.failure.as_ref()?;
    let step = match (verb, place) {
        (Some(verb), Some(place)) => format!("{verb}{} at {place}", optional(" as ", who.as_deref())),
        _ => "before or after its steps".to_owned(),
    };
    let seen = match seen.get("outcome").filter(|_| seen.get("absent").is_some()) {
        Some(outcome) => format!("nothing there, in {outcome}"),
        None => seen.to_string(),
    };
    let home = format!("saifu --home {}", folder.display());
    let persona = who.as_deref().filter(|_| verb.is_some_and(|verb| verb.starts_with("wallet."))).unwrap_or("NAME");
    Some(format!(
        "{}: {step} did not do what was expected\n  expected  {}{expected}\n  seen      {seen}\n  folder    {}\n  \
         look      its log.jsonl; {home} wallet home --wallet {persona}; {home} sandbox --policy {}",
        played.name,
        optional("", path.as_ref().map(|path| format!("{path}: ")).as_deref()),
        folder.display(),
        folder.join(POLICY).display(),
    ))
}

fn optional(before: &str, text: Option<&str>) -> String {
    text.map(|text| format!("{before}{text}")).unwrap_or_default()
}

fn list(folder: &Path) -> Result<Report, Failure> {
    let (mut rows, mut words) = (Vec::new(), Vec::new());
    for file in files(folder)? {
        let it = read(&file)?;
        rows.push(
            json!({ "name": it.name, "shows": it.shows, "steps": it.step_count(), "file": file.to_string_lossy() }),
        );
        words.push(vec![it.name, it.shows]);
    }
    let text = super::table(&["name", "shows"], words);
    Report::new(json!({ "count": rows.len(), "scenarios": rows }), text)
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
    let text = files::read(file, MOST_BYTES)?;
    let wrong = |what: &dyn std::fmt::Display| LocalCode::BadInput.detail(format!("{}: {what}", shown_path(file)));
    let text = String::from_utf8(text).map_err(|_| wrong(&"it is no text"))?;
    let scenario = parse(&text).map_err(|malformed| wrong(&malformed))?;
    if file.file_stem().and_then(|stem| stem.to_str()) != Some(scenario.name.as_str()) {
        return Err(wrong(&format!("$.name: it is `{}`, not the file's name", scenario.name)));
    }
    Ok(scenario)
}
