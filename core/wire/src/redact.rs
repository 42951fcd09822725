//! The second line of defence of everything that leaves for a log or a report: text that others wrote loses every number long
//! enough to be a secret or somebody's phone.

use crate::typed::{is_dash, is_unseen, plain};

/// SMS and TOTP codes have six digits; ATM numbers and payment codes have more.
const SECRET_DIGITS: usize = 6;

/// The text with `…` for every number of six digits or more. Blanks and hyphens inside a number do not hide it; a date
/// (`2026-11-23`) is none.
#[must_use]
pub fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars() {
        if is_digit(c) || (!run.is_empty() && is_separator(c)) {
            run.push(c);
        } else {
            flush(&mut run, &mut out);
            out.push(c);
        }
    }
    flush(&mut run, &mut out);
    out
}

/// ASCII or full width.
fn is_digit(c: char) -> bool {
    plain(c).is_ascii_digit()
}

/// What hides a number and is no dot or bracket: those stand in addresses and versions.
fn is_separator(c: char) -> bool {
    c.is_whitespace() && c != '\n' || is_dash(c) || is_unseen(c)
}

fn flush(run: &mut String, out: &mut String) {
    let number = run.trim_end_matches(is_separator);
    let digits = number.chars().filter(|c| is_digit(*c)).count();
    if digits >= SECRET_DIGITS && !is_date(number) {
        out.push('…');
        out.push_str(run.get(number.len()..).unwrap_or_default());
    } else {
        out.push_str(run);
    }
    run.clear();
}

/// `2026-11-23`.
fn is_date(number: &str) -> bool {
    (number.starts_with("19") || number.starts_with("20")) && number.split('-').map(str::len).eq([4, 2, 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_go_and_dates_ports_and_versions_stay() {
        for (text, left) in [
            ("/tmp/090-1234-5678/vault: no such file", "/tmp/…/vault: no such file"),
            ("+819012345678 asked", "+… asked"),
            ("code 123456 sent", "code … sent"),
            ("to 090-1234-5678.", "to …."),
            ("090 1234 5678", "…"),
            ("123-456", "…"),
            ("０９０‐１２３４‐５６７８", "…"),
            ("status 503 after 12 ms", "status 503 after 12 ms"),
            ("12345", "12345"),
            ("¥1,280 at 127.0.0.1:43210, version 0.1.0", "¥1,280 at 127.0.0.1:43210, version 0.1.0"),
            ("since 2026-11-23T03:44:02Z", "since 2026-11-23T03:44:02Z"),
            ("2026-11-23 1", "…"),
            ("123\u{200b}456", "…"),
            ("-12345- account-7 register-1", "-12345- account-7 register-1"),
        ] {
            assert_eq!(redacted(text), left, "{text}");
        }
    }
}
