//! The second line of defence: text that others wrote loses every number long enough to be a secret or somebody's phone.

use serde_json::Value;

/// SMS and TOTP codes have six digits; ATM numbers and payment codes have more.
const DIGITS_IN_A_ROW: usize = 6;
/// With the hyphens people put into a phone number. A date has eight.
const DIGITS_WITH_HYPHENS: usize = 10;

/// The same with `…` for every such number in its strings. Numbers that are no strings, times and amounts, stay.
pub(super) fn scrubbed(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(scrub(&text)),
        Value::Array(list) => Value::Array(list.into_iter().map(scrubbed).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name, scrubbed(value))).collect())
        }
        other => other,
    }
}

/// One text.
pub(super) fn scrub(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() || (c == '-' && !run.is_empty()) {
            run.push(c);
        } else {
            out.push_str(harmless(&run));
            run.clear();
            out.push(c);
        }
    }
    out.push_str(harmless(&run));
    out
}

fn harmless(run: &str) -> &str {
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let longest = run.split('-').map(str::len).max().unwrap_or(0);
    if longest >= DIGITS_IN_A_ROW || digits >= DIGITS_WITH_HYPHENS { "…" } else { run }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_go_and_dates_ports_and_versions_stay() {
        for (text, left) in [
            ("/tmp/090-1234-5678/vault: no such file", "/tmp/…/vault: no such file"),
            ("+819012345678 asked", "+… asked"),
            ("the code is 123456", "the code is …"),
            ("123456", "…"),
            ("¥1,280 at 127.0.0.1:43210, version 0.1.0", "¥1,280 at 127.0.0.1:43210, version 0.1.0"),
            ("since 2026-11-23T03:44:02Z", "since 2026-11-23T03:44:02Z"),
            ("-12345- account-7 register-1", "-12345- account-7 register-1"),
        ] {
            assert_eq!(scrub(text), left);
        }
    }
}
