//! What the slices of all rounds come to.

use serde_json::{Value, json};

use crate::slice::Slice;

/// The bar: at least this many a second, and 99 of 100 within this many milliseconds.
const BAR: (f64, f64) = (5_000.0, 50.0);

/// Calls of the issuer without a socket.
pub(super) const IN_PROCESS: &str = "in-process";
/// Whole requests of registers with their own connections.
pub(super) const TLS: &str = "tls";
/// One row, one commit.
pub(super) const FLOOR: &str = "floor";

/// Rates over all slices of a kind together, the median slice's median, the worst slice's 99th percentile.
pub(super) fn of(slices: &[Slice]) -> Value {
    let (settled, tls, floor) = (Sum::of(slices, IN_PROCESS), Sum::of(slices, TLS), Sum::of(slices, FLOOR));
    json!({
        "settlements_a_second": settled.rate,
        "p50_ms": settled.p50_ms,
        "p99_ms": settled.p99_ms,
        "cpu_ms_each": settled.cpu_ms_each,
        "over_tls": { "settlements_a_second": tls.rate, "p50_ms": tls.p50_ms, "p99_ms": tls.p99_ms, "cpu_ms_each": tls.cpu_ms_each },
        "floor": { "inserts_a_second": floor.rate, "p50_ms": floor.p50_ms, "p99_ms": floor.p99_ms },
        "ratio": (settled.rate / floor.rate * 100.0).round() / 100.0,
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

impl Sum {
    fn of(slices: &[Slice], what: &str) -> Self {
        let of: Vec<&Slice> = slices.iter().filter(|slice| slice.what == what).collect();
        let count = of.iter().fold(0_u64, |sum, slice| sum.saturating_add(slice.count));
        let seconds: f64 = of.iter().map(|slice| slice.seconds).sum();
        let cpu_seconds: Option<f64> = of.iter().map(|slice| slice.cpu_seconds).sum();
        let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let mut medians: Vec<f64> = of.iter().map(|slice| slice.p50_ms).collect();
        medians.sort_by(f64::total_cmp);
        Self {
            rate: (count / seconds).round(),
            cpu_ms_each: cpu_seconds.map(|cpu| (cpu / count * 1e6).round() / 1e3),
            p50_ms: medians.get(medians.len() / 2).copied().unwrap_or(f64::NAN),
            p99_ms: of.iter().map(|slice| slice.p99_ms).fold(f64::NAN, f64::max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slices of two seconds.
    fn slices(settled: u64, p99_ms: f64) -> Vec<Slice> {
        let slice = |what, count| Slice { what, count, seconds: 2.0, p50_ms: 4.0, p99_ms, cpu_seconds: Some(3.0) };
        vec![slice(IN_PROCESS, settled), slice(FLOOR, 2_000), slice(TLS, 3_000)]
    }

    #[test]
    fn the_bar_is_held_only_by_rate_and_latency_together() {
        for (settled, p99_ms, held) in [(10_000, 50.0, true), (9_998, 50.0, false), (10_000, 50.1, false)] {
            assert_eq!(of(&slices(settled, p99_ms))["bar"]["held"], held, "{settled} {p99_ms}");
        }
        assert_eq!(of(&[])["bar"]["held"], false);
    }

    #[test]
    fn rates_are_over_all_rounds_and_the_worst_latency_counts() {
        let figures = of(&[slices(8_000, 10.0), slices(12_000, 30.0)].concat());
        assert_eq!((&figures["settlements_a_second"], &figures["p99_ms"]), (&json!(5_000.0), &json!(30.0)));
        assert_eq!((&figures["ratio"], &figures["cpu_ms_each"]), (&json!(5.0), &json!(0.3)));
        assert_eq!(figures["over_tls"]["settlements_a_second"], 1_500.0);
        assert_eq!(figures["slices"].as_array().unwrap().len(), 6);
    }
}
