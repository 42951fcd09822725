//! `--behave`: a register or an ATM that does not do as it should.

/// How a peer misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behave {
    /// It sends each request twice, one after the other.
    Twice,
    /// It does not wait for an answer before it sends the next request.
    NoWait,
    /// It waits this many milliseconds before its last request.
    Late(u64),
    /// A till reverses before it settles; an ATM posts before it asks.
    ReverseFirst,
    /// It never reads the answer to its last request.
    DieAfterSend,
    /// It uses the key of a terminal of another kind.
    WrongKey,
}

impl std::str::FromStr for Behave {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "twice" => Self::Twice,
            "no-wait" => Self::NoWait,
            "reverse-first" => Self::ReverseFirst,
            "die-after-send" => Self::DieAfterSend,
            "wrong-key" => Self::WrongKey,
            _ => match text.strip_prefix("late:").and_then(|ms| ms.parse().ok()) {
                Some(ms @ 1..=60_000) => Self::Late(ms),
                _ => {
                    return Err(
                        "twice, no-wait, late:MS (1 to 60000), reverse-first, die-after-send or wrong-key".into()
                    );
                }
            },
        })
    }
}
