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

/// The longest [`Behave::Late`].
const LONGEST_MS: u64 = 60_000;

impl Behave {
    /// Every way there is; what is not listed here cannot be asked for.
    pub const ALL: &[Self] =
        &[Self::Twice, Self::NoWait, Self::Late(LONGEST_MS), Self::ReverseFirst, Self::DieAfterSend, Self::WrongKey];

    /// As it is written, with `MS` for milliseconds.
    #[must_use]
    pub fn form(self) -> &'static str {
        match self {
            Self::Twice => "twice",
            Self::NoWait => "no-wait",
            Self::Late(_) => "late:MS",
            Self::ReverseFirst => "reverse-first",
            Self::DieAfterSend => "die-after-send",
            Self::WrongKey => "wrong-key",
        }
    }
}

impl std::str::FromStr for Behave {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = match text.strip_prefix("late:") {
            Some(ms) => ms.parse().ok().filter(|ms| (1..=LONGEST_MS).contains(ms)).map(Self::Late),
            None => Self::ALL.iter().find(|how| how.form() == text).copied(),
        };
        found.ok_or_else(|| {
            let forms: Vec<&str> = Self::ALL.iter().map(|how| how.form()).collect();
            format!("one of {}; MS is 1 to {LONGEST_MS}", forms.join(", "))
        })
    }
}
