//! Faults: what goes wrong between an issuer and whoever asks it, on demand. The control API adds them, `Issuer::handle` meets
//! them, tests and quality assurance look at what both sides make of it.
//!
//! A fault acts behind the proof check, so TLS, pins and proofs stay as they are, and what is turned away there uses no
//! fault up. Faults live in memory: an issuer that was killed starts without any.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use saifu_crypto::Random;
use saifu_wire::Operation;
use tokio::sync::watch;

/// The connection ends without an answer: an extension of the response that [`Issuer::handle`](crate::Issuer::handle)
/// gives then. The listeners close the connection on it; whoever calls without a socket has got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut;

/// The longest that [`Act::Reorder`] holds a request, in milliseconds of real time.
pub const REORDER_MS: u64 = 5_000;
/// The longest [`Act::Delay`].
const LONGEST_DELAY_MS: u64 = 600_000;
/// So many faults at a time.
const MOST: usize = 1_000;

macro_rules! acts {
    ($($(#[$doc:meta])* $act:ident = $text:literal,)*) => {
        /// What goes wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Act {
            $($(#[$doc])* $act,)*
            /// It arrives this many milliseconds of real time later, whether or not the asker still waits.
            Delay(u64),
            /// Nothing is done; this HTTP status with no body, as a proxy in between gives it.
            Status(u16),
        }

        impl Act {
            /// Every form, as it is written.
            pub const FORMS: &[&str] = &[$($text,)* "delay:MS", "status:N"];
        }

        impl std::str::FromStr for Act {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let (name, number) = text.split_once(':').map_or((text, None), |(name, number)| (name, Some(number)));
                let number = number.map(|number| number.parse::<u64>().map_err(|_| format!("`{number}` is not a number")));
                Ok(match (name, number.transpose()?) {
                    $(($text, None) => Self::$act,)*
                    ("delay", Some(ms @ 1..=LONGEST_DELAY_MS)) => Self::Delay(ms),
                    ("delay", _) => return Err(format!("delay:MS takes 1 to {LONGEST_DELAY_MS} milliseconds")),
                    ("status", Some(status @ 400..=599)) => Self::Status(u16::try_from(status).unwrap_or(500)),
                    ("status", _) => return Err("status:N takes 400 to 599".into()),
                    _ => return Err(format!("`{text}` is none of {}", Self::FORMS.join(", "))),
                })
            }
        }

        impl std::fmt::Display for Act {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Self::$act => f.write_str($text),)*
                    Self::Delay(ms) => write!(f, "delay:{ms}"),
                    Self::Status(status) => write!(f, "status:{status}"),
                }
            }
        }
    };
}

acts! {
    /// The connection ends; nothing is done.
    DropRequest = "drop-request",
    /// It is done, then the connection ends.
    DropAnswer = "drop-answer",
    /// It is done twice; the second answer is sent.
    Duplicate = "duplicate",
    /// It arrives after the next request that the issuer handles, or after [`REORDER_MS`].
    Reorder = "reorder",
    /// Nothing is done; 200 with a body that is no JSON.
    Garbage = "garbage",
    /// Nothing is done; 200 with JSON that no message is.
    Nonsense = "nonsense",
    /// It is done, and answered as a later version may answer: with fields and words that nobody knows yet.
    Newer = "newer",
    /// Nothing is done and nothing is answered.
    Hang = "hang",
    /// It is done, and nothing is answered.
    HangAfter = "hang-after",
    /// The issuer's process is killed; nothing is done.
    KillIssuer = "kill-issuer",
    /// It is done, then the issuer's process is killed.
    KillIssuerAfter = "kill-issuer-after",
}

impl Act {
    /// Whether it takes the process down.
    #[must_use]
    pub fn kills(self) -> bool {
        matches!(self, Self::KillIssuer | Self::KillIssuerAfter)
    }
}

impl TryFrom<String> for Act {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Act> for String {
    fn from(act: Act) -> Self {
        act.to_string()
    }
}

/// One fault, as the control API takes it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The name of the [`Operation`] it waits for.
    pub on: String,
    /// Only requests of this account, device or terminal; `None`: anybody's.
    #[serde(default)]
    pub from: Option<String>,
    /// What goes wrong.
    #[serde(rename = "do")]
    pub act: Act,
    /// So many requests, then no more; `None`: until it is cleared.
    #[serde(default)]
    pub times: Option<u32>,
    /// Each request with this chance, over 0 to 1, drawn from the sandbox's seed; `None`: always.
    #[serde(default)]
    pub chance: Option<f64>,
}

/// A fault and how often it has struck.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Struck {
    /// The fault.
    #[serde(flatten)]
    pub fault: Fault,
    /// How often it has struck.
    pub struck: u32,
}

/// The faults of one issuer.
pub(crate) struct Faults {
    list: Mutex<Vec<Struck>>,
    random: Arc<dyn Random>,
    /// Ends the process at once; only where the process is the sandbox's own.
    die: Option<fn()>,
    /// Counts the requests that were handled.
    handled: watch::Sender<u64>,
    held: AtomicUsize,
}

impl Faults {
    /// None yet. `die` kills this process, if faults may.
    pub(crate) fn new(random: Arc<dyn Random>, die: Option<fn()>) -> Self {
        Self { list: Mutex::default(), random, die, handled: watch::Sender::new(0), held: AtomicUsize::new(0) }
    }

    /// Adds one behind the others.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn add(&self, fault: Fault) -> Result<(), String> {
        let Some(operation) = Operation::ALL.iter().find(|known| known.name() == fault.on) else {
            return Err(format!("on: there is no operation `{}`", fault.on));
        };
        if fault.from.is_some() && !crate::issuer::knows_caller(*operation) {
            return Err(format!("from: nobody is known yet when `{}` is asked; leave it out", fault.on));
        }
        if fault.chance.is_some_and(|chance| !(chance > 0.0 && chance <= 1.0)) {
            return Err("chance: over 0, at most 1".into());
        }
        if fault.times == Some(0) {
            return Err("times: at least 1".into());
        }
        if fault.act.kills() && self.die.is_none() {
            return Err("do: this issuer lives in the process of its tests; only `saifu sandbox` can be killed".into());
        }
        let mut list = self.lock();
        if list.len() >= MOST {
            return Err(format!("there are {MOST} faults; clear them first"));
        }
        list.push(Struck { fault, struck: 0 });
        Ok(())
    }

    /// All of them, in the order they are tried.
    pub(crate) fn list(&self) -> Vec<Struck> {
        self.lock().clone()
    }

    /// Forgets all. What they hold goes its way.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// How many requests are held now.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Acquire)
    }

    /// Whether any fault waits for this operation, and whether one asks who the caller is.
    pub(crate) fn awaits(&self, operation: Operation) -> Option<bool> {
        let list = self.lock();
        let mut waiting = list.iter().filter(|it| it.fault.on == operation.name()).peekable();
        waiting.peek()?;
        Some(waiting.any(|it| it.fault.from.is_some()))
    }

    /// The first fault that strikes this request. `names` are the caller's.
    pub(crate) fn strike(&self, operation: Operation, names: &[String]) -> Option<Act> {
        let mut list = self.lock();
        for it in list.iter_mut().filter(|it| it.fault.on == operation.name()) {
            let spent = it.fault.times.is_some_and(|times| it.struck >= times);
            let meant = it.fault.from.as_ref().is_none_or(|from| names.contains(from));
            if !spent && meant && self.draws(it.fault.chance) {
                it.struck = it.struck.saturating_add(1);
                return Some(it.fault.act);
            }
        }
        None
    }

    fn draws(&self, chance: Option<f64>) -> bool {
        let Some(chance) = chance else { return true };
        let mut drawn = [0; 4];
        // Without randomness nothing strikes by chance.
        self.random.fill(&mut drawn).is_ok() && f64::from(u32::from_be_bytes(drawn)) < chance * f64::from(u32::MAX)
    }

    /// A request was handled.
    pub(crate) fn handled(&self) {
        self.handled.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Tells when the next request was handled.
    pub(crate) fn next_handled(&self) -> watch::Receiver<u64> {
        self.handled.subscribe()
    }

    /// Counts a held request for as long as the guard lives.
    pub(crate) fn hold(&self) -> Held<'_> {
        self.held.fetch_add(1, Ordering::AcqRel);
        Held(&self.held)
    }

    /// Ends this process as a power cut would.
    pub(crate) fn die(&self) {
        if let Some(die) = self.die {
            die();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Struck>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is held.
pub(crate) struct Held<'a>(&'a AtomicUsize);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use saifu_crypto::SeededRandom;

    use super::*;

    fn faults() -> Faults {
        Faults::new(Arc::new(SeededRandom::new(7)), None)
    }

    fn fault(act: &str) -> Fault {
        Fault { on: "top-up".into(), from: None, act: act.parse().unwrap(), times: None, chance: None }
    }

    #[test]
    fn every_form_is_read_as_it_is_written_and_others_are_refused() {
        for form in Act::FORMS {
            let text = form.replace("MS", "250").replace(":N", ":503");
            assert_eq!(text.parse::<Act>().unwrap().to_string(), text);
        }
        for bad in ["", "drop", "delay", "delay:", "delay:0", "delay:x", "status:200", "status:600", "hang:1"] {
            assert!(bad.parse::<Act>().is_err(), "{bad}");
        }
    }

    #[test]
    fn fault_strikes_its_operation_and_caller_as_often_as_it_says() {
        let faults = faults();
        faults.add(Fault { times: Some(2), from: Some("a".into()), ..fault("hang") }).unwrap();
        let (a, b) = (["x".to_owned(), "a".to_owned()], ["b".to_owned()]);
        assert_eq!(faults.awaits(Operation::TopUp), Some(true));
        assert_eq!(faults.awaits(Operation::Code), None);
        assert_eq!(faults.strike(Operation::Code, &a), None);
        assert_eq!(faults.strike(Operation::TopUp, &b), None);
        assert_eq!(faults.strike(Operation::TopUp, &a), Some(Act::Hang));
        assert_eq!(faults.strike(Operation::TopUp, &a), Some(Act::Hang));
        assert_eq!(faults.strike(Operation::TopUp, &a), None);
        assert_eq!(faults.list()[0].struck, 2);
        faults.clear();
        assert_eq!(faults.awaits(Operation::TopUp), None);
    }

    #[test]
    fn chance_repeats_with_the_seed_and_comes_out_as_asked() {
        let run = || {
            let faults = faults();
            faults.add(Fault { chance: Some(0.25), ..fault("duplicate") }).unwrap();
            (0..400).map(|_| faults.strike(Operation::TopUp, &[]).is_some()).collect::<Vec<_>>()
        };
        let first = run();
        assert_eq!(first, run());
        let struck = first.iter().filter(|struck| **struck).count();
        assert!((60..140).contains(&struck), "{struck}");
    }

    #[test]
    fn senseless_faults_and_kills_of_a_shared_process_are_refused() {
        let faults = faults();
        for bad in [
            Fault { on: "pay".into(), ..fault("hang") },
            Fault { on: "sign-up".into(), from: Some("x".into()), ..fault("hang") },
            Fault { chance: Some(0.0), ..fault("hang") },
            Fault { chance: Some(1.5), ..fault("hang") },
            Fault { times: Some(0), ..fault("hang") },
            fault("kill-issuer"),
            fault("kill-issuer-after"),
        ] {
            assert!(faults.add(bad.clone()).is_err(), "{bad:?}");
        }
        assert!(faults.list().is_empty());
    }
}
