//! How a command ends: the exit codes, and what a failure says. Refusals of the issuer keep the issuer's codes; the rest
//! comes from the table here, which `saifu explain` and the documentation read too.

use std::borrow::Cow;
use std::process::ExitCode;

use saifu_link::LinkError;
use saifu_wire::{Problem, Reason};

use crate::words::shown;

macro_rules! statuses {
    ($($status:ident = $number:literal, $meaning:literal;)*) => {
        /// The exit codes. Public, and never changing their meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Status {
            $(#[doc = $meaning] $status = $number,)*
        }

        impl Status {
            /// Every exit code.
            pub const ALL: &[Self] = &[$(Self::$status,)*];

            /// What it means, as documented.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$status => $meaning,)* }
            }

            /// The number that the process returns.
            #[must_use]
            pub fn number(self) -> u8 {
                self as u8
            }
        }
    };
}

statuses! {
    Done = 0, "Done.";
    Bug = 1, "A bug of ours; of the demo or a scenario, a step that failed.";
    Usage = 2, "The command line or its input is wrong, or an answer is missing that nobody is there to give.";
    Refused = 3, "The issuer refused, or a register or an ATM was declined.";
    Offline = 4, "Nothing answers, or not in time, or something that is not the issuer.";
    Vault = 5, "The wallet's files or its key store cannot be used.";
    InUse = 6, "Another process holds the wallet or the sandbox's folder.";
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        status.number().into()
    }
}

macro_rules! local_codes {
    ($($variant:ident = $code:literal, $status:ident, $title:literal, $next:literal;)*) => {
        /// Errors of the command line itself. Public and stable, like the issuer's.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum LocalCode {
            $(#[doc = $title] $variant,)*
        }

        impl LocalCode {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable code.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// How the process ends.
            #[must_use]
            pub fn status(self) -> Status {
                match self { $(Self::$variant => Status::$status,)* }
            }

            /// What happened.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// What to do next.
            #[must_use]
            pub fn next(self) -> &'static str {
                match self { $(Self::$variant => $next,)* }
            }
        }
    };
}

local_codes! {
    Usage = "usage", Usage, "The command line is not valid.", "See the command's --help.";
    BadInput = "bad-input", Usage, "The input is not valid.", "Correct what the detail names.";
    FileFailed = "file", Usage, "A file cannot be used.", "Check the path and its permissions.";
    NoSymbol = "no-symbol", Usage, "No payment code can be read from the picture.", "Show the code again, larger and with its white margin.";
    NeedsApproval = "needs-approval", Usage, "The owner's approval is needed, and nobody can be asked.", "Run it on a terminal, or add --yes (sandbox issuers only).";
    YesRefused = "yes-refused", Usage, "--yes approves for sandbox issuers only.", "Run it on a terminal without --yes.";
    NotApproved = "not-approved", Usage, "The owner did not approve; nothing was sent.", "Start again to approve.";
    NeedsAnswer = "needs-answer", Usage, "A typed answer is needed, and nobody can be asked.", "Give the option that the detail names.";
    NeedsKeyStore = "needs-key-store", Usage, "No keyring of the operating system answers.", "Unlock one, or choose the file with --key-store file.";
    KeyStoreFixed = "key-store-fixed", Usage, "This wallet's keys are in another key store.", "Leave --key-store out, or use another wallet with --wallet NAME.";
    NoSignUp = "no-sign-up", Usage, "No sign-up waits for a code here.", "Start one with `saifu wallet signup --number N`.";
    NoSandbox = "no-sandbox", Offline, "There is no sandbox.", "Start one with `saifu sandbox`, or name its file with --sandbox FILE.";
    StaleSandbox = "stale-sandbox", Offline, "The sandbox is not running any more.", "Start it again with `saifu sandbox`.";
    Offline = "offline", Offline, "The issuer cannot be reached.", "Check that it runs and try again.";
    NoAnswer = "no-answer", Offline, "No answer came from the issuer.", "Repeat with the same --txid: the issuer answers a transaction once.";
    WrongClock = "wrong-clock", Offline, "By the date of this machine the issuer's certificate is not valid.", "Set date and time right and try again.";
    Untrusted = "untrusted", Offline, "The answer is not one of this issuer.", "Check which sandbox.json is in use.";
    SandboxFailed = "sandbox-failed", Bug, "The sandbox did not start.", "Read the detail; --reset starts anew and deletes every account in it.";
    StepFailed = "step-failed", Bug, "A step of the demo failed.", "Run it again with --keep and look into the folder.";
    ScenarioFailed = "scenario-failed", Bug, "A scenario did not do what it shows.", "Compare what was expected and seen, and look into the folder it left.";
    NoCode = "no-code", Offline, "There is no payment code in hand.", "Connect to the issuer; it gives a fresh one.";
    Vault = "vault", Vault, "The wallet's files cannot be used.", "Run `saifu doctor`; the account itself is safe with the issuer.";
    KeyStore = "key-store", Vault, "The wallet's keys cannot be used.", "Do what the detail says.";
    InUse = "in-use", InUse, "Another process is using it.", "End that process (`saifu sandbox stop` ends a sandbox), or use another --wallet or --data.";
    Bug = "bug", Bug, "Something failed that should not.", "Run it again with SAIFU_LOG=debug and report what it says.";
}

impl LocalCode {
    /// A failure with nothing to add.
    #[must_use]
    pub fn bare(self) -> Failure {
        Failure {
            status: self.status(),
            code: Cow::Borrowed(self.as_str()),
            title: Cow::Borrowed(self.title()),
            detail: None,
            next: Cow::Borrowed(self.next()),
        }
    }

    /// A failure that says what exactly.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Failure {
        Failure { detail: Some(detail.into()), ..self.bare() }
    }
}

/// Why a command did not do what it was asked to.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Failure {
    #[serde(skip)]
    status: Status,
    code: Cow<'static, str>,
    title: Cow<'static, str>,
    detail: Option<String>,
    next: Cow<'static, str>,
}

impl Failure {
    /// A failure whose code comes from another table.
    pub(crate) fn new(
        status: Status,
        code: &'static str,
        title: impl Into<Cow<'static, str>>,
        next: &'static str,
    ) -> Self {
        Self { status, code: Cow::Borrowed(code), title: title.into(), detail: None, next: Cow::Borrowed(next) }
    }

    /// The issuer's refusal.
    pub(crate) fn refused(problem: &Problem) -> Self {
        let detail = match (&problem.detail, problem.retry_after_ms) {
            (Some(detail), Some(ms)) => Some(format!("{detail}; again in {} s", ms.div_ceil(1_000))),
            (Some(detail), None) => Some(detail.clone()),
            (None, Some(ms)) => Some(format!("again in {} s", ms.div_ceil(1_000))),
            (None, None) => None,
        };
        Self {
            status: Status::Refused,
            code: Cow::Owned(problem.code.to_string()),
            title: Cow::Owned(problem.title.clone()),
            detail,
            next: Cow::Borrowed(problem.code.next()),
        }
    }

    /// A terminal of the sandbox was declined where a person was to be made: its limits do not allow that person.
    pub(crate) fn declined(reason: &str) -> Self {
        let next = "Start the sandbox with limits that allow it, or make another person.";
        match Reason::ALL.iter().find(|known| known.as_str() == reason) {
            Some(known) => {
                Self::new(Status::Refused, known.as_str(), "The issuer declined what makes this person.", next)
            }
            None => LocalCode::Bug.detail(format!("a terminal of the sandbox was declined: {reason}")),
        }
    }

    /// Says what exactly.
    pub(crate) fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// Says also what `note` has to say of its text.
    pub(crate) fn noting(self, note: impl FnOnce(&str) -> Option<String>) -> Self {
        let Some(note) = note(&self.text()) else { return self };
        let detail = self.detail.map_or_else(|| note.clone(), |detail| format!("{detail}; {note}"));
        Self { detail: Some(detail), ..self }
    }

    /// How the process ends.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// What exactly, where there is more to say than the title.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// What happened, why, and what to do, a line each.
    #[must_use]
    pub fn text(&self) -> String {
        let because = self.detail.as_ref().map(|detail| format!("\n  because: {}", shown(detail))).unwrap_or_default();
        format!("{}{because}\n  next: {}", shown(&self.title), self.next)
    }
}

impl From<LinkError> for Failure {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Refused(problem) => Self::refused(&problem),
            LinkError::Offline => LocalCode::Offline.bare(),
            LinkError::NoAnswer => LocalCode::NoAnswer.bare(),
            LinkError::WrongClock => LocalCode::WrongClock.bare(),
            LinkError::Untrusted(what) => LocalCode::Untrusted.detail(what),
            LinkError::Key(error) => LocalCode::KeyStore.detail(error.to_string()),
            LinkError::NoCredentials | LinkError::System => LocalCode::Bug.detail(error.to_string()),
        }
    }
}

/// A failed write to stdout or stderr. A reader that left early (`saifu … | head`) has what it wanted.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self { status: Status::Done, ..LocalCode::FileFailed.bare() },
            _ => LocalCode::FileFailed.detail(format!("the output: {error}")),
        }
    }
}

/// A file that cannot be read or written.
pub(crate) fn at(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Failure {
    let path = path.display().to_string();
    move |error| LocalCode::FileFailed.detail(format!("{path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_says_what_to_do() {
        let codes: std::collections::BTreeSet<_> = LocalCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), LocalCode::ALL.len());
        assert!(LocalCode::ALL.iter().all(|code| code.title().ends_with('.') && code.next().ends_with('.')));
    }

    #[test]
    fn numbers_of_exit_codes_are_their_place() {
        let numbers: Vec<u8> = Status::ALL.iter().map(|status| status.number()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn refusal_says_when_to_try_again() {
        let problem = Problem::new(saifu_wire::ProblemCode::TooSoon).retry_after(59_001);
        assert!(Failure::refused(&problem).text().contains("again in 60 s"));
    }
}
