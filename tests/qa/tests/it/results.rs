//! The table of `results/README.md` and the row of the README about the FFI boundary are those of `results/bindings.json`. After a new measurement:
//! `SAIFU_UPDATE_DOCS=1 cargo test -p saifu-qa --test it results`.

use serde_json::Value;

use crate::support::common::hold;

const LANGUAGES: [&str; 3] = ["rust", "kotlin", "swift"];

fn path(name: &str) -> String {
    format!("{}/../../results/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// What the FFI boundary costs, a column a language.
fn boundary(figures: &Value) -> String {
    let languages = &figures["languages"];
    let mut table = String::from(
        "| | Rust, no FFI boundary | Kotlin | Swift | UniFFI's own, Kotlin |\n| --- | ---: | ---: | ---: | ---: |\n",
    );
    let mut row = |what: &str, cell: &dyn Fn(&Value) -> String, published: Option<&str>| {
        let cells: Vec<String> = LANGUAGES.iter().map(|language| cell(&languages[language])).collect();
        let published = published.map(|name| micro(&figures["published_of_uniffi_ns"]["kotlin"][name]));
        table += &format!("| {what} | {} | {} |\n", cells.join(" | "), published.unwrap_or_default());
    };
    for (what, name, published) in [
        ("a call that does nothing, µs", "is_cancelled", Some("call-only")),
        ("an empty list, µs", "pending", None),
        ("the home screen, a record of records, µs", "home", Some("enums")),
        ("TOTP, with a call back for the clock, µs", "totp", None),
        ("a line of the history, asynchronous, µs", "newest", None),
    ] {
        row(what, &|it| micro(&it["call_ns"][name]), published);
    }
    row("the home screen, called without a pause, µs", &|it| micro(&it["call_ns_without_pause"]["home"]), None);
    for (what, name) in [
        ("cold start: the library loaded, ms", "load_ms"),
        ("then the wallet opened, ms", "open_ms"),
        ("then the first code, ms", "code_ms"),
        ("from the start of the process to the code, ms", "all_ms"),
    ] {
        row(what, &|it| number(&it["cold_start_ms"][name], 1.0), None);
    }
    let calls = figures["first_screen"]["calls"].as_array().unwrap().len().to_string();
    row("calls to the first screen", &|_| calls.clone(), None);
    row("memory that 10,000 openings left, MiB", &|it| left(&it["openings"]), None);
    row("memory that 100,000 calls left, MiB", &|it| left(&it["many"]), None);
    table
}

fn micro(ns: &Value) -> String {
    number(ns, 1_000.0)
}

/// Two figures that count.
fn number(value: &Value, unit: f64) -> String {
    let Some(value) = value.as_f64().map(|value| value / unit) else { return "–".into() };
    match value {
        ..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// The most of any round.
fn left(rounds: &Value) -> String {
    let kib = |round: &Value| round["rss_after_kib"].as_f64().unwrap() - round["rss_before_kib"].as_f64().unwrap();
    let most = rounds.as_array().unwrap().iter().map(kib).fold(f64::NEG_INFINITY, f64::max);
    format!("{:.1}", most.max(0.0) / 1_024.0)
}

#[test]
fn readme_says_of_the_boundary_what_its_file_says() {
    let measured: Value = serde_json::from_str(&std::fs::read_to_string(path("bindings.json")).unwrap()).unwrap();
    let readme = std::fs::read_to_string(path("../README.md")).unwrap();
    let row = readme.lines().find(|line| line.contains("`cargo xtask full bindings`")).unwrap();
    let of = |language: &str| &measured["figures"]["languages"][language];
    let [kotlin, swift] = ["kotlin", "swift"].map(of);
    let home = |it: &Value| micro(&it["call_ns"]["home"]);
    let start = |it: &Value| number(&it["cold_start_ms"]["all_ms"], 1.0);
    for quote in [
        format!("{} µs (Kotlin, JVM) and {} µs (Swift)", home(kotlin), home(swift)),
        format!("{} ms and {} ms", start(kotlin), start(swift)),
    ] {
        assert!(row.contains(&quote), "{quote}");
    }
    for round in
        [kotlin, swift].iter().flat_map(|it| ["openings", "many"].map(|what| it[what].as_array().unwrap())).flatten()
    {
        assert_eq!(round["live_before"], round["live_after"]);
        assert!(round["threads_after"].as_u64() <= round["threads_before"].as_u64());
    }
}

#[test]
fn table_of_the_boundary_is_that_of_its_file() {
    let measured: Value = serde_json::from_str(&std::fs::read_to_string(path("bindings.json")).unwrap()).unwrap();
    let table = boundary(&measured["figures"]);
    hold(&path("README.md"), "from bindings.json", &table);
    assert!(measured["failures"].as_array().unwrap().is_empty());
}
