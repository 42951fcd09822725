//! What the FFI boundary costs: the same calls, starts and openings in Rust without it, and in Kotlin and Swift through the
//! library that ships. The languages take turns, so that the machine is the same for all. The program of Rust is
//! `saifu-bench`, those of the packages are their tests `MeasureTest` and `MeasureTests`; each writes one document of the same
//! form, and the tests fail when something is left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Bench, Chunk, Task};
use crate::ffi::{self, Bindings, Language, Package, kotlin, swift};
use crate::process::{Ended, tail};
use crate::size;

/// The calls from nothing to a screen with a balance, by their names in the library, and how many are allowed.
const FIRST_SCREEN: &[&str] = &["Wallet.open", "Wallet.home"];
const FIRST_SCREEN_BAR: usize = 3;

/// What UniFFI's authors published of their own benchmark, Kotlin on a JVM: a call that does nothing, one that returns an
/// error, one with enums, one with maps. Nanoseconds. Of Swift nothing is published there.
const PUBLISHED: (&str, [(&str, u64); 4]) = (
    "mozilla/uniffi-rs, pull request 2859, 24 April 2026, column `main`",
    [("call-only", 3_510), ("errors", 9_780), ("enums", 22_480), ("hash-maps", 23_550)],
);

/// What a program in one language tells.
#[derive(Deserialize)]
struct Told {
    language: String,
    calls: Vec<Cost>,
    /// Milliseconds by part: `load_ms`, `open_ms`, `code_ms`, `all_ms`.
    cold: Vec<BTreeMap<String, f64>>,
    openings: Wear,
    many: Wear,
}

#[derive(Deserialize)]
struct Cost {
    name: String,
    ns: f64,
    /// Where memory is collected now and then and `ns` leaves that out, as an app that calls now and then has it: with it.
    without_pause_ns: Option<f64>,
}

/// Before and after much work. Live objects are the library's, so Rust alone has none.
#[derive(Deserialize, Serialize)]
struct Wear {
    #[serde(alias = "calls")]
    cycles: u64,
    #[serde(default)]
    live_before: u64,
    #[serde(default)]
    live_after: u64,
    threads_before: u64,
    threads_after: u64,
    rss_before_kib: u64,
    rss_after_kib: u64,
}

pub(super) fn chunk(bench: &Bench<'_>, task: Task) -> io::Result<Chunk> {
    let run = |command: &mut std::process::Command| bench.run(command, None);
    let shipped = size::build(bench.workspace, run)?;
    bench.need(bench.cargo(&["build"]).args(["--package", "saifu-qa", "--bin", "saifu"]))?;
    let saifu = bench.workspace.target().join("debug").join("saifu");
    let (mut told, mut failures, mut rounds) = (Vec::new(), Vec::new(), 0_u64);
    for _ in 0..task.rounds {
        for measure in [rust, in_kotlin, in_swift] {
            match measure(bench, &shipped, &saifu)? {
                Ok(document) => told.push(document),
                Err(failure) => failures.push(failure),
            }
        }
        rounds = rounds.saturating_add(1);
    }
    Ok(Chunk { rounds, figures: figures(&told), failures })
}

/// Compiled like the library, so that what is compared is the boundary.
fn rust(bench: &Bench<'_>, _: &Path, _: &Path) -> io::Result<Result<Told, String>> {
    let program = ["--release", "--package", "saifu-bench"];
    bench.need(bench.cargo(&["build"]).args(program))?;
    let (data, printed) = (bench.scratch.join("calls"), bench.scratch.join("rust.json"));
    let mut command = bench.cargo(&["run"]);
    command.args(program).args(["--", "calls", "--data"]).arg(data);
    let ended = bench.run(&mut command, Some(&printed))?;
    read(&printed, &ended)
}

fn in_kotlin(bench: &Bench<'_>, shipped: &Path, saifu: &Path) -> io::Result<Result<Told, String>> {
    let bindings = generate(bench, Language::Kotlin, shipped)?;
    let package = Package { workspace: bench.workspace, saifu, bindings: &bindings };
    let file = document(bench, Language::Kotlin)?;
    let told = [("SAIFU_MEASURE", file.display().to_string())];
    let run = |command: &mut std::process::Command| bench.run(command, None);
    let ended = kotlin::test(&package, bench.progress, &["-Dtest=MeasureTest"], &told, run)?;
    read(&file, &ended)
}

fn in_swift(bench: &Bench<'_>, shipped: &Path, saifu: &Path) -> io::Result<Result<Told, String>> {
    let bindings = generate(bench, Language::Swift, shipped)?;
    let package = Package { workspace: bench.workspace, saifu, bindings: &bindings };
    swift::place(&package)?;
    let run = |command: &mut std::process::Command| bench.run(command, None);
    let toolchain = swift::Toolchain::find(bench.progress, &run)?;
    let file = document(bench, Language::Swift)?;
    // As an app is compiled.
    let optimised = ["-c", "release", "-Xswiftc", "-enable-testing", "--filter", "MeasureTests"];
    let ended = run(&mut swift::test(&package, &toolchain, &[("SAIFU_MEASURE", &file)], &[], &optimised)?)?;
    read(&file, &ended)
}

/// The generated code, over the library that ships.
fn generate(bench: &Bench<'_>, language: Language, shipped: &Path) -> io::Result<Bindings> {
    let bindings = ffi::generate(bench.workspace, language, |command| bench.run(command, None))?;
    Ok(Bindings { library: shipped.to_owned(), ..bindings })
}

/// Where a package writes its document, without one that an earlier round left.
fn document(bench: &Bench<'_>, language: Language) -> io::Result<PathBuf> {
    let folder = bench.workspace.target().join("xtask");
    fs::create_dir_all(&folder)?;
    let file = folder.join(format!("measured-{}.json", language.name()));
    if file.exists() {
        fs::remove_file(&file)?;
    }
    Ok(file)
}

fn read(file: &Path, ended: &Ended) -> io::Result<Result<Told, String>> {
    if !ended.success {
        return Ok(Err(tail(&ended.output, 40)));
    }
    Ok(Ok(serde_json::from_slice(&fs::read(file)?).map_err(io::Error::other)?))
}

/// One table: what each language took, the median of all rounds.
fn figures(all: &[Told]) -> Value {
    let names: BTreeSet<&str> = all.iter().map(|told| told.language.as_str()).collect();
    let languages: BTreeMap<&str, Value> = names.into_iter().map(|name| (name, summary(all, name))).collect();
    let (source, published) = PUBLISHED;
    json!({
        "languages": languages,
        "first_screen": { "calls": FIRST_SCREEN, "bar": FIRST_SCREEN_BAR, "held": FIRST_SCREEN.len() <= FIRST_SCREEN_BAR },
        "published_of_uniffi_ns": { "source": source, "kotlin": BTreeMap::from(published) },
    })
}

fn summary(all: &[Told], language: &str) -> Value {
    let of: Vec<&Told> = all.iter().filter(|told| told.language == language).collect();
    let (mut costs, mut unbroken) = (BTreeMap::<&str, Vec<f64>>::new(), BTreeMap::<&str, Vec<f64>>::new());
    for cost in of.iter().flat_map(|told| &told.calls) {
        costs.entry(&cost.name).or_default().push(cost.ns);
        if let Some(ns) = cost.without_pause_ns {
            unbroken.entry(&cost.name).or_default().push(ns);
        }
    }
    let mut parts = BTreeMap::<&str, Vec<f64>>::new();
    for (part, ms) in of.iter().flat_map(|told| &told.cold).flatten() {
        parts.entry(part).or_default().push(*ms);
    }
    let medians = |values: BTreeMap<&str, Vec<f64>>, places: f64| -> BTreeMap<String, f64> {
        values.into_iter().map(|(name, values)| (name.to_owned(), (median(values) * places).round() / places)).collect()
    };
    json!({
        "call_ns": medians(costs, 1.0),
        "call_ns_without_pause": medians(unbroken, 1.0),
        "cold_start_ms": medians(parts, 100.0),
        "starts": of.iter().map(|told| told.cold.len()).sum::<usize>(),
        "openings": of.iter().map(|told| &told.openings).collect::<Vec<_>>(),
        "many": of.iter().map(|told| &told.many).collect::<Vec<_>>(),
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(language: &str, ns: f64, all_ms: f64) -> Told {
        let wear = json!({"calls": 10, "live_before": 1, "live_after": 1, "threads_before": 3, "threads_after": 3,
                          "rss_before_kib": 100, "rss_after_kib": 110});
        let told = json!({"language": language, "calls": [{"name": "home", "count": 10, "ns": ns}],
                          "cold": [{"all_ms": all_ms}], "openings": wear, "many": wear});
        serde_json::from_value(told).unwrap()
    }

    #[test]
    fn each_language_has_the_median_of_its_rounds() {
        let rounds = [(9_000.0, 700.0), (3_000.0, 300.0), (5_000.0, 500.0)];
        let all = rounds.into_iter().flat_map(|(ns, ms)| [told("rust", 300.0, 1.0), told("kotlin", ns, ms)]);
        let figures = figures(&all.collect::<Vec<_>>());
        let kotlin = &figures["languages"]["kotlin"];
        assert_eq!((&kotlin["call_ns"]["home"], &kotlin["cold_start_ms"]["all_ms"]), (&json!(5_000.0), &json!(500.0)));
        assert_eq!((&kotlin["starts"], kotlin["many"].as_array().unwrap().len()), (&json!(3), 3));
        assert_eq!(figures["languages"]["rust"]["call_ns"]["home"], 300.0);
    }

    #[test]
    fn the_first_screen_takes_calls_that_the_library_has() {
        let exported = include_str!("../../../../bindings/api.txt");
        for call in FIRST_SCREEN {
            let (object, method) = call.split_once('.').unwrap();
            assert!(exported.contains(object) && exported.contains(&format!(" {method}(")), "{call}");
        }
        assert!(FIRST_SCREEN.len() <= FIRST_SCREEN_BAR);
    }
}
