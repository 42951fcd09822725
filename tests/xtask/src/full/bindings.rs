//! What the FFI boundary costs: the same calls, starts and openings in Rust without it, and in Kotlin and Swift through the
//! library that ships. The languages take turns, so that the machine is the same for all. The program of Rust is
//! `saifu-bench`, those of the packages are their tests `MeasureTest` and `MeasureTests`; each writes one document of the same
//! form, and the tests fail when something is left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Chunk, Task};
use crate::ffi::{self, Bindings, Language, kotlin, swift};
use crate::process::{Ended, Runner, tail};
use crate::size;

/// The calls from nothing to a screen with a balance, by their names in the library, and how many are allowed.
const FIRST_SCREEN: (&[&str], usize) = (&["Wallet.open", "Wallet.home"], 3);

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
    /// Objects, threads and memory before and after much work.
    openings: Value,
    many: Value,
}

#[derive(Deserialize)]
struct Cost {
    name: String,
    ns: f64,
    /// Where memory is collected now and then and `ns` leaves that out, as an app that calls now and then has it: with it.
    without_pause_ns: Option<f64>,
}

pub(super) fn chunk(runner: &Runner, task: Task) -> io::Result<Chunk> {
    let (shipped, saifu) = (size::build(runner)?, runner.saifu()?);
    let (mut told, mut failures) = (Vec::new(), Vec::new());
    for _ in 0..task.rounds {
        for measure in [rust, in_kotlin, in_swift] {
            let (file, ended) = measure(runner, &shipped, &saifu)?;
            if ended.success {
                told.push(serde_json::from_slice(&fs::read(file)?).map_err(io::Error::other)?);
            } else {
                failures.push(tail(&ended.output, 40));
            }
        }
    }
    Ok(Chunk { rounds: task.rounds, figures: figures(&told), failures })
}

/// Compiled like the library, so that what is compared is the boundary.
fn rust(runner: &Runner, _: &Path, _: &Path) -> io::Result<(PathBuf, Ended)> {
    let program = ["--release", "--package", "saifu-bench"];
    runner.need(runner.cargo(&["build"]).args(program))?;
    let printed = runner.scratch.join("measured-rust.json");
    let mut command = runner.cargo(&["run"]);
    command.args(program).args(["--", "calls", "--data"]).arg(runner.scratch.join("calls"));
    let ended = runner.run_into(&printed, &mut command)?;
    Ok((printed, ended))
}

fn in_kotlin(runner: &Runner, shipped: &Path, saifu: &Path) -> io::Result<(PathBuf, Ended)> {
    let (bindings, file) = generate(runner, Language::Kotlin, shipped)?;
    let told = [("SAIFU_MEASURE", file.as_path())];
    let ended = kotlin::test(runner, saifu, &bindings, kotlin::PACKAGES, &["-Dtest=MeasureTest"], &told)?;
    Ok((file, ended))
}

fn in_swift(runner: &Runner, shipped: &Path, saifu: &Path) -> io::Result<(PathBuf, Ended)> {
    let (bindings, file) = generate(runner, Language::Swift, shipped)?;
    swift::place(runner, &bindings)?;
    // As an app is compiled.
    let optimised = ["-c", "release", "-Xswiftc", "-enable-testing", "--filter", "MeasureTests"];
    let toolchain = swift::Toolchain::find(runner)?;
    let told = [("SAIFU_MEASURE", file.as_path())];
    let ended = runner.run(&mut swift::test(&toolchain, saifu, &bindings, &optimised, &told)?)?;
    Ok((file, ended))
}

/// The generated code, over the library that ships, and where the package writes its document, without one of an earlier round.
fn generate(runner: &Runner, language: Language, shipped: &Path) -> io::Result<(Bindings, PathBuf)> {
    let bindings = Bindings { library: shipped.to_owned(), ..ffi::generate(runner, language)? };
    let file = runner.scratch.join(format!("measured-{}.json", language.name()));
    if file.exists() {
        fs::remove_file(&file)?;
    }
    Ok((bindings, file))
}

/// One table: what each language took, the median of all rounds.
fn figures(all: &[Told]) -> Value {
    let names: BTreeSet<&str> = all.iter().map(|told| told.language.as_str()).collect();
    let languages: BTreeMap<&str, Value> = names.into_iter().map(|name| (name, summary(all, name))).collect();
    let ((source, published), (first_screen, bar)) = (PUBLISHED, FIRST_SCREEN);
    json!({
        "languages": languages,
        "first_screen": { "calls": first_screen, "bar": bar, "held": first_screen.len() <= bar },
        "published_of_uniffi_ns": { "source": source, "kotlin": BTreeMap::from(published) },
    })
}

fn summary(all: &[Told], language: &str) -> Value {
    let of: Vec<&Told> = all.iter().filter(|told| told.language == language).collect();
    let calls = || of.iter().flat_map(|told| &told.calls);
    let cold = of.iter().flat_map(|told| &told.cold).flatten();
    json!({
        "call_ns": medians(calls().map(|cost| (&cost.name, cost.ns)), 1.0),
        "call_ns_without_pause": medians(calls().filter_map(|cost| Some((&cost.name, cost.without_pause_ns?))), 1.0),
        "cold_start_ms": medians(cold.map(|(part, ms)| (part, *ms)), 100.0),
        "starts": of.iter().map(|told| told.cold.len()).sum::<usize>(),
        "openings": of.iter().map(|told| &told.openings).collect::<Vec<_>>(),
        "many": of.iter().map(|told| &told.many).collect::<Vec<_>>(),
    })
}

/// The median of each name's values, rounded to a part in `places`.
fn medians<'a>(values: impl Iterator<Item = (&'a String, f64)>, places: f64) -> BTreeMap<&'a str, f64> {
    let mut all = BTreeMap::<&str, Vec<f64>>::new();
    for (name, value) in values {
        all.entry(name).or_default().push(value);
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    all.into_iter().map(|(name, values)| (name, (median(values) * places).round() / places)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_the_median_of_its_rounds() {
        let told = |language: &str, ns: f64, all_ms: f64| -> Told {
            let calls = json!([{"name": "home", "count": 10, "ns": ns}]);
            let wear = json!({"threads_before": 3, "threads_after": 3});
            let cold = json!([{"all_ms": all_ms}]);
            let told = json!({"language": language, "calls": calls, "cold": cold, "openings": wear, "many": wear});
            serde_json::from_value(told).unwrap()
        };
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
        for call in FIRST_SCREEN.0 {
            let (object, method) = call.split_once('.').unwrap();
            assert!(exported.contains(object) && exported.contains(&format!(" {method}(")), "{call}");
        }
        assert!(FIRST_SCREEN.0.len() <= FIRST_SCREEN.1);
    }
}
