//! Playing the steps of a file against a host.

use std::collections::BTreeMap;

use saifu_crypto::Secret;

use super::Subject;
use super::format::{Call, ErrorName, Expect, Step};
use crate::{KeyError, KeyInfo, Platform, Reading, SealId};

/// What a call gives.
#[derive(Clone)]
enum Given {
    Nothing,
    Key(KeyInfo),
    Bytes(Vec<u8>),
    Name(Option<SealId>),
    Reading { before: Option<Reading>, now: Reading },
    Valid(bool),
    Opened(u64),
}

/// Why a step has no outcome.
enum Failure {
    /// The host's answer.
    Host(KeyError),
    /// The step asks for what is not there.
    Broken(String),
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Self::Host(error)
    }
}

/// The findings, none if the host conforms.
pub(super) fn play(steps: &[Step], subject: &Subject<'_>) -> Vec<String> {
    let mut stage = Stage { subject, host: (subject.open)(), saved: BTreeMap::new() };
    let mut findings = Vec::new();
    for (step, number) in steps.iter().zip(1_usize..) {
        match stage.step(step) {
            Ok(None) => {}
            Ok(Some(Finding { text, ends })) => {
                findings.push(text);
                if ends {
                    break;
                }
            }
            Err(broken) => {
                findings.push(format!("the suite is broken: step {number}: {broken}"));
                break;
            }
        }
    }
    findings
}

struct Finding {
    text: String,
    /// Later steps need what this one should have given.
    ends: bool,
}

struct Stage<'a> {
    subject: &'a Subject<'a>,
    host: Platform,
    saved: BTreeMap<String, Given>,
}

impl Stage<'_> {
    fn step(&mut self, step: &Step) -> Result<Option<Finding>, String> {
        let times = if let Call::Read { times: Some(times) } = step.call { times } else { 1 };
        let mut before = None;
        let mut as_expected = true;
        for _ in 0..times {
            let given = match self.call(&step.call, before) {
                Ok(given) => given,
                Err(Failure::Host(error)) if step.expect.error == Some(error.into()) => return Ok(None),
                Err(Failure::Host(error)) => {
                    let text = format!("{}: {}", step.shows, name(error.into()));
                    return Ok(Some(Finding { text, ends: step.save.is_some() }));
                }
                Err(Failure::Broken(broken)) => return Err(broken),
            };
            as_expected &= self.meets(&step.expect, &given)?;
            if let Given::Reading { now, .. } = given {
                before = Some(now);
            }
            if let Some(name) = &step.save {
                self.saved.insert(name.clone(), given);
            }
        }
        Ok((!as_expected).then(|| Finding { text: step.shows.clone(), ends: false }))
    }

    fn call(&mut self, call: &Call, before: Option<Reading>) -> Result<Given, Failure> {
        let (keys, secrets) = (&self.host.keys, &self.host.secrets);
        Ok(match call {
            Call::Create { role } => Given::Key(keys.create((*role).into())?),
            Call::Info { role } => Given::Key(keys.info((*role).into())?),
            Call::Sign { message } => Given::Bytes(keys.sign(&message.0)?),
            Call::Delete { role } => keys.delete((*role).into()).map(|()| Given::Nothing)?,
            Call::Authorize { message } => Given::Bytes((self.subject.authorize)(&message.0)?),
            Call::Verify { key, message, signature } => {
                let (key, signature) = (self.key(key)?, self.bytes(signature)?);
                Given::Valid(key.public_key.verify_der(&message.0, signature).is_ok())
            }
            Call::Id {} => Given::Name(secrets.id()?),
            Call::Renew {} => Given::Name(Some(secrets.renew()?)),
            Call::Retire {} => secrets.retire().map(|()| Given::Nothing)?,
            Call::Seal { plain } => Given::Bytes(secrets.seal(&Secret::copy_of(&plain.0))?),
            Call::Unseal { sealed } => Given::Bytes(secrets.unseal(self.bytes(sealed)?)?.expose().to_vec()),
            Call::UnsealDamaged { sealed } => {
                let opens = damaged(self.bytes(sealed)?).filter(|text| secrets.unseal(text).is_ok()).count();
                Given::Opened(u64::try_from(opens).unwrap_or(u64::MAX))
            }
            Call::Read { .. } => Given::Reading { before, now: self.host.clock.read() },
            Call::Pause { ms } => {
                (self.subject.pause)(*ms);
                Given::Nothing
            }
            Call::Reopen {} => {
                self.host = (self.subject.open)();
                Given::Nothing
            }
        })
    }

    /// Whether a call that succeeded did what was expected; an expectation that does not fit it breaks the suite.
    fn meets(&self, expect: &Expect, given: &Given) -> Result<bool, String> {
        let mut met = vec![expect.error.is_none()];
        if let Some(saved) = &expect.same {
            met.push(match (given, self.saved(saved)?) {
                (Given::Key(one), Given::Key(other)) => one == other,
                (Given::Name(one), Given::Name(other)) => one == other,
                _ => return Err(misfit("same")),
            });
        }
        if let Some(saved) = &expect.differs {
            met.push(match (given, self.saved(saved)?) {
                (Given::Key(one), Given::Key(other)) => one.public_key != other.public_key,
                (Given::Bytes(one), Given::Bytes(other)) => one != other,
                _ => return Err(misfit("differs")),
            });
        }
        if let Some(valid) = expect.valid {
            let Given::Valid(given) = given else { return Err(misfit("valid")) };
            met.push(*given == valid);
        }
        if let Some(opened) = expect.opened {
            let Given::Opened(given) = given else { return Err(misfit("opened")) };
            met.push(*given == opened);
        }
        met.push(self.name_meets(expect, given)?);
        met.push(bytes_meet(expect, given)?);
        met.push(self.reading_meets(expect, given)?);
        Ok(met.into_iter().all(|met| met))
    }

    fn name_meets(&self, expect: &Expect, given: &Given) -> Result<bool, String> {
        if expect.none.is_none() && expect.random_install.is_none() && expect.follows.is_none() {
            return Ok(true);
        }
        let Given::Name(given) = given else { return Err(misfit("none, random_install or follows")) };
        let none = expect.none.is_none() || given.is_none();
        let random = expect.random_install.is_none() || given.is_some_and(|id| id.install != [0; 16]);
        let follows = match &expect.follows {
            None => true,
            Some(saved) => {
                let Given::Name(Some(first)) = self.saved(saved)? else { return Err(misfit("follows")) };
                let next = first.generation.checked_add(1);
                given.is_some_and(|id| id.install == first.install && Some(id.generation) == next)
            }
        };
        Ok(none && random && follows)
    }

    fn reading_meets(&self, expect: &Expect, given: &Given) -> Result<bool, String> {
        let asked =
            [expect.wall_ms.is_some(), expect.elapsed_ms.is_some(), expect.rising.is_some(), expect.boot.is_some()];
        if asked == [false; 4] {
            return Ok(true);
        }
        let Given::Reading { before, now } = given else { return Err(misfit("wall_ms, elapsed_ms, rising or boot")) };
        let wall = expect.wall_ms.as_ref().is_none_or(|range| (range.from..range.below).contains(&now.wall_ms));
        let elapsed = match &expect.elapsed_ms {
            None => true,
            Some(range) => {
                let moved = now.elapsed_ms.checked_sub(self.reading(&range.since)?.elapsed_ms);
                moved.is_some_and(|moved| (range.from..range.below).contains(&moved))
            }
        };
        let rising = expect.rising.is_none() || before.is_none_or(|before| now.elapsed_ms >= before.elapsed_ms);
        let boot = match &expect.boot {
            None => true,
            Some(saved) => now.boot_id == self.reading(saved)?.boot_id,
        };
        Ok(wall && elapsed && rising && boot)
    }

    fn saved(&self, name: &str) -> Result<&Given, String> {
        self.saved.get(name).ok_or_else(|| format!("nothing was saved as {name}"))
    }

    fn key(&self, name: &str) -> Result<&KeyInfo, Failure> {
        match self.saved(name).map_err(Failure::Broken)? {
            Given::Key(key) => Ok(key),
            _ => Err(Failure::Broken(format!("{name} is no key"))),
        }
    }

    fn bytes(&self, name: &str) -> Result<&[u8], Failure> {
        match self.saved(name).map_err(Failure::Broken)? {
            Given::Bytes(bytes) => Ok(bytes),
            _ => Err(Failure::Broken(format!("{name} is no signature or sealed text"))),
        }
    }

    fn reading(&self, name: &str) -> Result<&Reading, String> {
        match self.saved(name)? {
            Given::Reading { now, .. } => Ok(now),
            _ => Err(format!("{name} is no reading")),
        }
    }
}

fn bytes_meet(expect: &Expect, given: &Given) -> Result<bool, String> {
    if expect.bytes.is_none() && expect.lacks.is_none() {
        return Ok(true);
    }
    let Given::Bytes(given) = given else { return Err(misfit("bytes or lacks")) };
    let exact = expect.bytes.as_ref().is_none_or(|bytes| bytes.0 == *given);
    let lacks = expect.lacks.as_ref().is_none_or(|bytes| !given.windows(bytes.0.len().max(1)).any(|at| at == bytes.0));
    Ok(exact && lacks)
}

/// Every text with one byte changed, every proper beginning, and the text with a byte more.
fn damaged(sealed: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let changed = (0..sealed.len()).map(|at| {
        sealed.iter().zip(0_usize..).map(|(byte, place)| if place == at { byte ^ 1 } else { *byte }).collect()
    });
    let cut = (0..sealed.len()).map(|len| sealed.iter().take(len).copied().collect());
    changed.chain(cut).chain([[sealed, &[0]].concat()])
}

fn misfit(expectation: &str) -> String {
    format!("{expectation} does not fit what the verb gives")
}

fn name(error: ErrorName) -> &'static str {
    match error {
        ErrorName::Temporary => "temporary",
        ErrorName::UserDeclined => "user-declined",
        ErrorName::NoScreenLock => "no-screen-lock",
        ErrorName::Gone => "gone",
        ErrorName::Unexpected => "unexpected",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::conformance::format::read;
    use crate::doubles::{ManualClock, MemoryHost};

    fn findings(steps: &str) -> Vec<String> {
        let host = MemoryHost::new();
        let clock = Arc::new(ManualClock::new(1_790_000_000_000));
        let subject = Subject {
            open: &|| host.platform(clock.clone()),
            authorize: &|message| host.authorize(message),
            pause: &|ms| clock.advance(ms),
        };
        play(&read(&format!(r#"{{"about": "a", "steps": [{steps}]}}"#)).unwrap(), &subject)
    }

    #[test]
    fn a_name_that_was_not_saved_breaks_the_suite() {
        let found = findings(r#"{"do": "secrets.unseal", "sealed": "nothing"}"#);
        assert_eq!(found, ["the suite is broken: step 1: nothing was saved as nothing"]);
    }

    #[test]
    fn an_expectation_of_another_verb_breaks_the_suite() {
        for expect in [
            r#""same": "k""#,
            r#""valid": true"#,
            r#""none": true"#,
            r#""bytes": "m""#,
            r#""opened": 0"#,
            r#""boot": "k""#,
        ] {
            let found = findings(&format!(
                r#"{{"do": "keys.create", "role": "device", "save": "k"}},
                   {{"do": "reopen", "rule": "r", "expect": {{{expect}}}}}"#
            ));
            assert!(found.len() == 1 && found[0].starts_with("the suite is broken: step 2"), "{found:?}");
        }
    }

    #[test]
    fn the_run_goes_on_after_a_finding_unless_something_to_save_is_missing() {
        let sign = r#"{"do": "keys.sign", "message": "m"}"#;
        assert_eq!(findings(&[sign, sign].join(",")), ["keys.sign: gone", "keys.sign: gone"]);
        let save = r#"{"do": "keys.sign", "message": "m", "save": "s"}"#;
        assert_eq!(findings(&[save, sign].join(",")), ["keys.sign: gone"]);
    }

    #[test]
    fn a_call_that_succeeds_does_not_meet_an_expected_error() {
        let found = findings(r#"{"do": "secrets.renew", "rule": "r", "expect": {"error": "gone"}}"#);
        assert_eq!(found, ["r"]);
    }

    #[test]
    fn every_way_to_damage_a_text_is_tried() {
        let texts: Vec<_> = damaged(&[4, 5]).collect();
        assert_eq!(texts, [vec![5, 5], vec![4, 4], vec![], vec![4], vec![4, 5, 0]]);
    }
}
