//! Arguments that are more than text, read where they enter.

use std::str::FromStr;

use saifu_wire::{Amount, Millis, PhoneNumber};

/// A wallet's name: a [`Name`](saifu_wire::Name) that does not begin with a dot, so it is a folder's name everywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WalletName(String);

impl WalletName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WalletName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match saifu_wire::Name::new(text) {
            Ok(_) if text.starts_with('.') => Err("a wallet's name does not begin with a dot".into()),
            Ok(_) => Ok(Self(text.to_owned())),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// What becomes of the sandbox's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Ahead by so many milliseconds.
    By(u64),
    /// To a time of that clock.
    To(Millis),
    /// It stands still, or goes on.
    Hold(bool),
}

impl Move {
    /// Reads `+72h`, `to TIME`, `hold` or `run`; nothing is no move.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(words: &[String]) -> Result<Option<Self>, String> {
        match words {
            [] => Ok(None),
            [word] if word == "hold" => Ok(Some(Self::Hold(true))),
            [word] if word == "run" => Ok(Some(Self::Hold(false))),
            [by] if by.starts_with('+') => duration_ms(by.trim_start_matches('+')).map(|ms| Some(Self::By(ms))),
            [word, time] if word == "to" => {
                let time: jiff::Timestamp =
                    time.parse().map_err(|_| format!("`{time}` is no RFC 3339 time such as 2027-01-01T00:00:00Z"))?;
                let ms = u64::try_from(time.as_millisecond()).map_err(|_| format!("`{time}` lies before 1970"))?;
                Ok(Some(Self::To(Millis(ms))))
            }
            _ => Err(format!("`{}` is none of +DURATION, `to TIME`, `hold`, `run`", words.join(" "))),
        }
    }
}

/// Whose clock is moved alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Only {
    /// The issuer's.
    Issuer,
    /// That of the wallet with this name.
    Wallet(WalletName),
}

impl FromStr for Only {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("wallet:")) {
            ("issuer", _) => Ok(Self::Issuer),
            (_, Some(name)) => name.parse().map(Self::Wallet),
            _ => Err("it is `issuer` or `wallet:NAME`".into()),
        }
    }
}

impl std::fmt::Display for Only {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Issuer => f.write_str("issuer"),
            Self::Wallet(name) => write!(f, "wallet:{}", name.as_str()),
        }
    }
}

pub(super) fn duration_ms(text: &str) -> Result<u64, String> {
    let bad = || format!("`{text}` is no duration such as 72h, 30m or 3d");
    let span: jiff::Span = text.parse().map_err(|_| bad())?;
    let total = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| bad())?;
    u64::try_from(total.as_millis()).map_err(|_| format!("`{text}` goes back; the clock never does"))
}

pub(super) fn phone_number(text: &str) -> Result<PhoneNumber, String> {
    PhoneNumber::parse(text).map_err(|error| error.to_string())
}

pub(super) fn amount(text: &str) -> Result<Amount, String> {
    saifu_wire::amount(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Option<Move>, String> {
        Move::parse(&words.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn clock_moves_are_read_as_people_write_them() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["+72h"]), Ok(Some(Move::By(259_200_000))));
        assert_eq!(read(&["+3d"]), read(&["+72h"]));
        assert_eq!(read(&["+1h30m"]), Ok(Some(Move::By(5_400_000))));
        assert_eq!(read(&["to", "1970-01-01T00:00:01Z"]), Ok(Some(Move::To(Millis(1_000)))));
        assert_eq!((read(&["hold"]), read(&["run"])), (Ok(Some(Move::Hold(true))), Ok(Some(Move::Hold(false)))));
        for bad in [&["72h"][..], &["+"], &["+x"], &["+-1h"], &["to"], &["to", "noon"], &["to", "1969-01-01T00:00:00Z"]]
        {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn one_clock_is_named_by_its_owner() {
        assert_eq!("issuer".parse(), Ok(Only::Issuer));
        assert_eq!("wallet:me".parse::<Only>().unwrap().to_string(), "wallet:me");
        for bad in ["", "me", "wallet", "wallet:", "wallet:../x", "Issuer"] {
            assert!(bad.parse::<Only>().is_err(), "{bad}");
        }
    }

    #[test]
    fn wallet_names_are_folder_names() {
        assert!(WalletName::from_str("me").is_ok());
        for bad in ["", ".", "..", "a/b", ".git"] {
            assert!(WalletName::from_str(bad).is_err(), "{bad}");
        }
    }
}
