//! Every verb of a scenario: who does it, with what, and what it gives. The parser, the schema and the documentation all
//! read this table.

use saifu_sandbox::rules::world;

/// Who does it: what `as` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// A persona; `as` is needed.
    Persona,
    /// A terminal; without `as` the named one.
    Terminal(&'static str),
    /// Nobody; `as` is refused.
    Nobody,
}

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number from 1 on.
    Number,
    /// True or false.
    Flag,
    /// A time span: `90s`, `15m`, `72h`, `3d`.
    Span,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

/// An argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argument {
    /// Its field.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Whether the step needs it.
    pub required: bool,
}

/// A verb.
#[derive(Debug, PartialEq, Eq)]
pub struct Verb {
    /// What `do` says.
    pub name: &'static str,
    /// What it does, one sentence.
    pub does: &'static str,
    /// Who does it.
    pub actor: Actor,
    /// Its arguments.
    pub arguments: &'static [Argument],
    /// The fields of what it gives.
    pub gives: &'static [&'static str],
    /// Whether it changes nothing, so that `within` may repeat it.
    pub reads: bool,
}

/// The fields of a refusal, whatever the verb.
pub const REFUSAL: &[&str] = &["error", "title", "detail", "rule", "retry_after_ms"];

const fn needed(name: &'static str, kind: Kind) -> Argument {
    Argument { name, kind, required: true }
}

const fn optional(name: &'static str, kind: Kind) -> Argument {
    Argument { name, kind, required: false }
}

macro_rules! verbs {
    ($($name:literal, $actor:expr, $reads:literal, [$($argument:expr),*], [$($gives:literal),*], $does:literal;)*) => {
        /// Every verb.
        pub const VERBS: &[Verb] = &[$(Verb {
            name: $name,
            does: $does,
            actor: $actor,
            arguments: &[$($argument),*],
            gives: &[$($gives),*],
            reads: $reads,
        },)*];
    };
}

const REGISTER: Actor = Actor::Terminal("register-1");
const ATM: Actor = Actor::Terminal("atm-1");
const OPERATOR: Actor = Actor::Terminal("operator-1");
const PURPOSES: Kind = Kind::OneOf(&["pay", "cash-in"]);
const EVENTS: Kind = Kind::OneOf(&["entry", "declined", "top-up-expired", "notice", "other"]);
const HAPPENINGS: Kind = Kind::OneOf(world::Kind::WORDS);
const REASONS: Kind = Kind::OneOf(world::Because::WORDS);
const SWITCHES: Kind = Kind::OneOf(&["sign-up", "session", "top-up-atm", "code", "settlement"]);
const OPERATIONS: Kind = Kind::OneOf(&[
    "sign-up",
    "sign-up-confirm",
    "session",
    "token",
    "activation",
    "activation-confirm",
    "home",
    "history",
    "events",
    "intent-nonce",
    "intent-resolve",
    "top-up",
    "code",
    "settle",
    "settle-void",
    "refund",
    "atm-authorize",
    "atm-deposit",
]);
/// Those that neither need a time on the machine's clock nor end a process.
const ACTS: Kind = Kind::OneOf(&[
    "drop-request",
    "drop-answer",
    "duplicate",
    "hang",
    "hang-after",
    "garbage",
    "nonsense",
    "newer",
    "status:404",
    "status:429",
    "status:503",
]);
/// The key store's errors.
const FAILURES: Kind = Kind::OneOf(&["temporary", "user-declined", "no-screen-lock", "gone"]);
/// Of calls that send something worth losing.
const KILLED: Argument = optional("killed", Kind::Flag);

verbs! {
    "wallet.sign-up", Actor::Persona, false, [KILLED], ["number", "expires_at", "resend_at", "expires_in_ms", "resend_in_ms", "state"],
        "Asks for an SMS code to the persona's number; again for another one.";
    "wallet.confirm", Actor::Persona, false, [optional("code", Kind::Text), KILLED], ["device_id", "state"],
        "Enters the code of the SMS: the newest of the inbox, or the one given.";
    "wallet.home", Actor::Persona, true, [],
        ["state", "standing", "balance_yen", "balance_reason", "as_of", "age_ms", "points", "notices", "frozen",
         "device_id", "top_up_left_yen", "pay_left_yen", "last_event", "way_out", "put_aside", "trust",
         "history_incomplete", "following", "pay", "top_up", "totp"],
        "The home screen from the wallet's own files; never the network.";
    "wallet.refresh", Actor::Persona, true, [],
        ["state", "standing", "balance_yen", "balance_reason", "as_of", "age_ms", "points", "notices", "frozen",
         "device_id", "top_up_left_yen", "pay_left_yen", "last_event", "way_out", "put_aside", "trust",
         "history_incomplete", "following", "pay", "top_up", "totp"],
        "Asks the issuer, and gives the home screen.";
    "wallet.code", Actor::Persona, false, [optional("purpose", PURPOSES), optional("offline", Kind::Flag), KILLED],
        ["digits", "purpose", "cap_yen", "offline", "issued_at", "refresh_at", "expires_at", "refresh_in_ms",
         "fetch_next", "state"],
        "Fetches a one-time code; with `offline` only one that is in hand.";
    "wallet.top-up", Actor::Persona, false,
        [needed("yen", Kind::Number), optional("thinking", Kind::Span), KILLED],
        ["intent", "number", "state", "yen", "since", "expires_at"],
        "Prepares a top-up at an ATM, lets the owner think for a while, approves it and sends it.";
    "wallet.pending", Actor::Persona, true, [], ["entries", "count"],
        "What is not finished, from the wallet's own files.";
    "wallet.history", Actor::Persona, true, [], ["entries", "count"],
        "The history, newest first, from the wallet's own files.";
    "wallet.totp", Actor::Persona, true, [], ["code", "valid_until", "valid_for_ms", "trust"],
        "The code that proves the phone at an ATM; no network.";
    "wallet.follow", Actor::Persona, false, [], ["following"],
        "Follows the issuer's events from now on.";
    "wallet.next-event", Actor::Persona, false, [optional("kind", EVENTS)],
        ["number", "at", "kind", "balance_yen", "points", "entry", "reason", "yen", "merchant", "intent", "notice",
         "text"],
        "Waits for the next event, or for the next of a kind.";
    "wallet.kill", Actor::Persona, false, [], ["state"],
        "Ends the wallet; nothing is asked and nobody is told.";
    "wallet.reopen", Actor::Persona, false, [], ["state"],
        "Opens the wallet of the same folder again.";
    "wallet.lock", Actor::Persona, false, [], ["state"],
        "Wipes the wallet's secrets from memory.";
    "wallet.unlock", Actor::Persona, false, [], ["state"],
        "Reads the wallet's files again.";
    "wallet.patience", Actor::Persona, false, [needed("ms", Kind::Number)], ["ms"],
        "From now on, until it is opened again, the wallet waits so long for an answer.";
    "wallet.key-fails", Actor::Persona, false,
        [needed("how", FAILURES), optional("times", Kind::Number)], ["how", "times"],
        "The phone's next signature fails, by whichever key; so many, else one.";
    "wallet.damage", Actor::Persona, false, [], ["file"],
        "Flips all bits of one byte in the file of a killed wallet; a second time, the file is whole again.";
    "register.scan", REGISTER, false,
        [needed("digits", Kind::Text), needed("yen", Kind::Number), optional("txid", Kind::Text)],
        ["result", "reason", "rule", "settlement", "yen", "txid"],
        "Settles a code. Repeating a txid repeats the transaction.";
    "register.void", REGISTER, false, [needed("txid", Kind::Text)],
        ["result", "reason", "rule", "settlement", "yen", "txid"],
        "Reverses a transaction of this register, also one that has not arrived.";
    "register.refund", REGISTER, false,
        [needed("settlement", Kind::Text), needed("yen", Kind::Number), optional("txid", Kind::Text)],
        ["result", "reason", "rule", "settlement", "yen", "txid"],
        "Gives money back for a settlement.";
    "atm.authorize", ATM, false,
        [needed("number", Kind::Text), needed("totp", Kind::Text), optional("txid", Kind::Text)],
        ["result", "reason", "rule", "yen", "until", "txid"],
        "Asks whether cash may be taken.";
    "atm.deposit", ATM, false,
        [needed("number", Kind::Text), needed("totp", Kind::Text), needed("yen", Kind::Number),
         optional("txid", Kind::Text)],
        ["result", "reason", "rule", "settlement", "yen", "txid"],
        "Asks whether cash may be taken, and posts it. With the txid of an earlier question it goes on from there.";
    "sandbox.clock", Actor::Nobody, false, [optional("advance", Kind::Span)], ["now", "offset_ms", "held", "ran"],
        "Moves the clock of the issuer and of everybody ahead; what came due has run then.";
    "sandbox.sms", Actor::Persona, true, [optional("holder", Kind::Number)], ["messages", "count", "newest"],
        "The messages that arrived at the persona's number, in that order: its present holder's, or an earlier one's.";
    "sandbox.fault", Actor::Nobody, false,
        [needed("on", OPERATIONS), needed("act", ACTS), optional("times", Kind::Number)], ["faults", "held"],
        "Meets the next request: it is lost, its answer is, it is done twice, held or answered wrongly; so often, else once.";
    "sandbox.clear-faults", Actor::Nobody, false, [], ["faults", "held"],
        "Forgets every fault.";
    "sandbox.held", Actor::Nobody, true, [], ["held"],
        "How many requests faults hold now.";
    "sandbox.event", Actor::Nobody, false,
        [needed("event", HAPPENINGS), needed("because", REASONS), optional("number", Kind::Text),
         optional("by", Kind::Span), optional("times", Kind::Number)],
        ["ids", "id", "at", "event", "because", "number", "by_ms", "times", "left", "holder", "day_end"],
        "Lets the world do something to us; docs/interface.md says which reasons each event has.";
    "sandbox.restart", Actor::Nobody, false, [], ["running"],
        "Stops the issuer and starts it again on the same folder and ports.";
    "sandbox.stop", Actor::Nobody, false, [], ["running"],
        "Stops the issuer: whoever asks it is offline.";
    "sandbox.start", Actor::Nobody, false, [], ["running"],
        "Starts a stopped issuer again.";
    "operator.switch", OPERATOR, false,
        [needed("switch", SWITCHES), needed("on", Kind::Flag), optional("reason", Kind::Text)],
        ["switch", "on", "reason"],
        "Stops or restarts a service.";
}

/// What a driver is asked.
#[derive(Debug, PartialEq, Eq)]
pub struct DriverVerb {
    /// What `verb` says.
    pub name: &'static str,
    /// Its arguments; of those in brackets some may be missing.
    pub arguments: &'static str,
    /// What it gives: the fields of the verb of this name, where it is one of [`VERBS`].
    pub gives: &'static [&'static str],
    /// What it does, where it is none of [`VERBS`], or does less.
    pub does: &'static str,
}

/// Verbs that the runner does by itself, with the driver's process and its files.
pub const OF_THE_RUNNER: &[&str] = &["wallet.kill", "wallet.reopen", "wallet.damage", "wallet.top-up"];

const fn asked(
    name: &'static str,
    arguments: &'static str,
    gives: &'static [&'static str],
    does: &'static str,
) -> DriverVerb {
    DriverVerb { name, arguments, gives, does }
}

/// Everything that a driver is ever asked: the verbs of wallets with what the runner has found out for them, and three of its own.
pub const DRIVER: &[DriverVerb] = &[
    asked(
        "wallet.open",
        "`folder` `issuer` `clock`",
        &["state"],
        "The first request: opens the wallet in `folder/vault` with the keys in `folder`, or makes both.",
    ),
    asked(
        "driver.clock",
        "`offset_ms` `held_at`",
        &[],
        "The clock of the phone from now on. Comes before every other request after time has passed.",
    ),
    asked("wallet.sign-up", "`number`", &[], ""),
    asked("wallet.confirm", "`code`", &[], "Enters this code; it is always given."),
    asked("wallet.home", "", &[], ""),
    asked("wallet.refresh", "", &[], ""),
    asked("wallet.code", "[`purpose` `offline`]", &[], ""),
    asked("wallet.prepare-top-up", "`yen`", &[], "Prepares a top-up at an ATM, and keeps it until its owner approves."),
    asked(
        "wallet.approve-top-up",
        "",
        &["intent", "number", "state", "yen", "since", "expires_at"],
        "Has the owner's key sign what was prepared, and sends it.",
    ),
    asked("wallet.pending", "", &[], ""),
    asked("wallet.history", "", &[], ""),
    asked("wallet.totp", "", &[], ""),
    asked("wallet.follow", "", &[], "Answers when the stream stands and the history is filled."),
    asked("wallet.next-event", "[`kind`]", &[], "Waits 20 s at most, and is broken then."),
    asked("wallet.lock", "", &[], ""),
    asked("wallet.unlock", "", &[], ""),
    asked("wallet.patience", "`ms`", &[], ""),
    asked("wallet.key-fails", "`how` [`times`]", &[], ""),
];

/// What a driver is asked under this name.
#[must_use]
pub fn driver(name: &str) -> Option<&'static DriverVerb> {
    DRIVER.iter().find(|verb| verb.name == name)
}

/// The verb of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name)
}

impl Verb {
    /// Whether a path of `expect` or `save` begins with a field that this verb gives, or a refusal.
    pub(crate) fn gives_path(&self, path: &str) -> bool {
        let field = path.split('.').next().unwrap_or_default();
        self.gives.contains(&field) || REFUSAL.contains(&field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_fail_in_every_way_that_a_host_knows() {
        let known: Vec<&str> = saifu_host::KeyError::ALL.iter().map(|error| error.as_str()).collect();
        assert_eq!(FAILURES, Kind::OneOf(known.leak()));
    }

    #[test]
    fn every_verb_of_a_wallet_is_asked_of_a_driver_or_done_by_the_runner() {
        let wallets = VERBS.iter().map(|verb| verb.name).filter(|name| name.starts_with("wallet."));
        for name in wallets {
            assert_ne!(driver(name).is_some(), OF_THE_RUNNER.contains(&name), "{name}");
        }
        for verb in DRIVER {
            assert!(find(verb.name).is_some() || !verb.does.is_empty(), "{}", verb.name);
        }
    }

    #[test]
    fn faults_are_on_operations_and_acts_that_the_issuer_has() {
        for (words, act) in [(OPERATIONS, false), (ACTS, true)] {
            let Kind::OneOf(words) = words else { unreachable!() };
            for word in words {
                let known = saifu_wire::Operation::ALL.iter().any(|operation| operation.name() == *word);
                assert!(if act { word.parse::<saifu_sandbox::faults::Act>().is_ok() } else { known }, "{word}");
            }
        }
    }
}
