//! How many settlements a second the sandbox's issuer commits, beside the number of bare rows that the same disk
//! commits in between. The program that measures is `saifu-bench`; here its slices become figures.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{About, Bench, Chunk, Task};
use crate::process::tail;

pub(super) const ABOUT: About = About {
    name: "settlements",
    sentence: "settlements a second with fsync, 64 registers at a time, beside bare rows on the same disk",
    takes: "4 rounds, about 5 minutes",
    rounds: 4,
    rounds_a_chunk: 2,
};

/// The bar: at least this many a second, and 99 of 100 within this many milliseconds.
const BAR: (f64, f64) = (5_000.0, 50.0);

/// Calls of the issuer without a socket.
const IN_PROCESS: &str = "in-process";
/// Whole requests of registers with their own connections.
const TLS: &str = "tls";
/// One row, one commit.
const FLOOR: &str = "floor";

/// What the program prints.
#[derive(Deserialize)]
struct Printed {
    rounds: u64,
    failures: Vec<String>,
    #[serde(flatten)]
    rest: Measured,
}

#[derive(Deserialize, Serialize)]
struct Measured {
    profile: String,
    registers: u64,
    customers: u64,
    audit_ok: bool,
    slices: Vec<Slice>,
}

/// One kind of work, for some seconds.
#[derive(Deserialize, Serialize, Clone)]
struct Slice {
    what: String,
    count: u64,
    seconds: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// Time on a core, where the system tells.
    cpu_seconds: Option<f64>,
}

pub(super) fn chunk(bench: &Bench<'_>, task: Task) -> io::Result<Chunk> {
    let program = ["--profile", "bench", "--package", "saifu-bench"];
    bench.need(bench.cargo(&["build"]).args(program))?;
    let (data, printed) = (bench.scratch.join("settlements"), bench.scratch.join("settlements.json"));
    let mut command = bench.cargo(&["run"]);
    command.args(program).args(["--", "settlements", "--rounds", &task.rounds.to_string()]);
    // On the disk of the workspace: the system's folder for temporary files may be memory, which syncs for nothing.
    command.args(["--seed", &task.seed.to_string(), "--data"]).arg(&data);
    let ended = bench.run(&mut command, Some(&printed))?;
    if !ended.success {
        return Err(io::Error::other(tail(&ended.output, 40)));
    }
    let Printed { rounds, failures, rest } = serde_json::from_slice(&fs::read(&printed)?).map_err(io::Error::other)?;
    Ok(Chunk { rounds, figures: serde_json::to_value(rest).map_err(io::Error::other)?, failures })
}

/// Rates over all slices of a kind together; the worst 99th percentile of any.
pub(super) fn figures(chunks: &[Chunk]) -> Value {
    let all: Vec<Measured> = chunks.iter().filter_map(|chunk| Measured::deserialize(&chunk.figures).ok()).collect();
    let slices: Vec<Slice> = all.iter().flat_map(|measured| measured.slices.clone()).collect();
    let (settled, tls, floor) = (sum(&slices, IN_PROCESS), sum(&slices, TLS), sum(&slices, FLOOR));
    json!({
        "profile": all.first().map(|measured| measured.profile.clone()),
        "registers": all.first().map(|measured| measured.registers),
        "customers": all.first().map(|measured| measured.customers),
        "settlements_a_second": settled.rate,
        "p50_ms": settled.p50_ms,
        "p99_ms": settled.p99_ms,
        "cpu_ms_each": settled.cpu_ms_each,
        "over_tls": { "settlements_a_second": tls.rate, "p50_ms": tls.p50_ms, "p99_ms": tls.p99_ms, "cpu_ms_each": tls.cpu_ms_each },
        "floor": { "inserts_a_second": floor.rate, "p50_ms": floor.p50_ms, "p99_ms": floor.p99_ms },
        "ratio": rounded(settled.rate / floor.rate),
        "audit_ok": !all.is_empty() && all.iter().all(|measured| measured.audit_ok),
        "bar": {
            "settlements_a_second": BAR.0,
            "p99_ms": BAR.1,
            "held": settled.rate >= BAR.0 && settled.p99_ms <= BAR.1,
        },
        "slices": slices,
    })
}

struct Sum {
    rate: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_ms_each: Option<f64>,
}

fn sum(slices: &[Slice], what: &str) -> Sum {
    let of: Vec<&Slice> = slices.iter().filter(|slice| slice.what == what).collect();
    let count = of.iter().fold(0_u64, |sum, slice| sum.saturating_add(slice.count));
    let seconds: f64 = of.iter().map(|slice| slice.seconds).sum();
    let cpu_seconds: Option<f64> = of.iter().map(|slice| slice.cpu_seconds).sum();
    let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let mut medians: Vec<f64> = of.iter().map(|slice| slice.p50_ms).collect();
    medians.sort_by(f64::total_cmp);
    Sum {
        rate: (count / seconds).round(),
        cpu_ms_each: cpu_seconds.map(|cpu| (cpu / count * 1e6).round() / 1e3),
        p50_ms: medians.get(medians.len() / 2).copied().unwrap_or(f64::NAN),
        p99_ms: of.iter().map(|slice| slice.p99_ms).fold(f64::NAN, f64::max),
    }
}

fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slices of two seconds.
    fn chunk(settled: u64, p99_ms: f64) -> Chunk {
        let slice = |what: &str, count| json!({"what": what, "count": count, "seconds": 2.0, "p50_ms": 4.0, "p99_ms": p99_ms, "cpu_seconds": 3.0});
        let slices = [slice(IN_PROCESS, settled), slice(FLOOR, 2_000), slice(TLS, 3_000)];
        let figures = json!({"profile": "bench", "registers": 64, "customers": 10, "audit_ok": true, "slices": slices});
        Chunk { rounds: 1, figures, failures: Vec::new() }
    }

    #[test]
    fn the_bar_is_held_only_by_rate_and_latency_together() {
        let held = |settled, p99| figures(&[chunk(settled, p99)])["bar"]["held"].as_bool().unwrap();
        assert!(held(10_000, 50.0));
        assert!(!held(9_998, 50.0));
        assert!(!held(10_000, 50.1));
    }

    #[test]
    fn rates_are_over_all_chunks_and_the_worst_latency_counts() {
        let figures = figures(&[chunk(8_000, 10.0), chunk(12_000, 30.0)]);
        assert_eq!(figures["settlements_a_second"], 5_000.0);
        assert_eq!(figures["p99_ms"], 30.0);
        assert_eq!(figures["ratio"], 5.0);
        assert_eq!(figures["cpu_ms_each"], 0.3);
        assert_eq!(figures["over_tls"]["settlements_a_second"], 1_500.0);
        assert_eq!(figures["slices"].as_array().unwrap().len(), 6);
    }

    #[test]
    fn nothing_measured_holds_nothing() {
        let figures = figures(&[]);
        assert_eq!(figures["audit_ok"], false);
        assert_eq!(figures["bar"]["held"], false);
    }
}
