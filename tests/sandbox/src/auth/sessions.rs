use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::BASE64URL_NOPAD;
use saifu_crypto::{CryptoError, Random as _, SystemRandom, constant_time_eq, sha256};
use saifu_wire::signed::Binding;
use saifu_wire::{DeviceId, Millis, Sensitive};

/// A session ends after an hour.
const SESSION_MS: u64 = 3_600_000;
/// An access token ends after five minutes.
const TOKEN_MS: u64 = 300_000;
/// Live sessions of one device. More push the oldest out: a phone that restarts leaves one behind.
const PER_DEVICE: usize = 4;
/// Live tokens of one session; more push the oldest out.
const PER_SESSION: usize = 4;
/// Live sessions in all.
const MAX_SESSIONS: usize = 100_000;

type Hash = [u8; 32];

/// Sessions and access tokens. They live in memory only, so a restart ends them all and phones open new ones silently;
/// only hashes are kept, so a dump of this memory opens nothing.
#[derive(Default)]
pub(super) struct Sessions(Mutex<Tables>);

#[derive(Default)]
struct Tables {
    sessions: HashMap<Hash, Session>,
    tokens: HashMap<Hash, Token>,
    devices: HashMap<DeviceId, VecDeque<Hash>>,
}

struct Session {
    binding: Binding,
    thumbprint: String,
    ends_at: Millis,
    tokens: VecDeque<Hash>,
}

struct Token {
    session: Hash,
    ends_at: Millis,
}

/// A secret text and the time it ends.
pub(crate) struct Grant {
    pub(crate) text: Sensitive,
    pub(crate) ends_at: Millis,
}

/// What a token stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Granted {
    pub(super) binding: Binding,
    pub(super) session_ends_at: Millis,
}

impl Sessions {
    /// A session of this device for this key; `None` when there is no room.
    pub(super) fn open(
        &self,
        now: Millis,
        binding: Binding,
        thumbprint: &str,
    ) -> Result<Option<(Grant, Grant)>, CryptoError> {
        let (text, hash) = fresh()?;
        let (token_text, token_hash) = fresh()?;
        let mut tables = self.lock();
        if tables.sessions.len() >= MAX_SESSIONS {
            tables.sweep(now);
            if tables.sessions.len() >= MAX_SESSIONS {
                return Ok(None);
            }
        }
        let of_device = tables.devices.entry(binding.device).or_default();
        of_device.push_back(hash);
        let pushed_out = if of_device.len() > PER_DEVICE { of_device.pop_front() } else { None };
        if let Some(oldest) = pushed_out {
            tables.end(&oldest);
        }
        let ends_at = now.plus(SESSION_MS);
        let session = Session { binding, thumbprint: thumbprint.into(), ends_at, tokens: VecDeque::new() };
        tables.sessions.insert(hash, session);
        let token_ends_at = tables.grant(now, hash, token_hash).unwrap_or(now);
        Ok(Some((Grant { text, ends_at }, Grant { text: token_text, ends_at: token_ends_at })))
    }

    /// A new token for a live session of this key.
    pub(super) fn renew(
        &self,
        now: Millis,
        session: &Sensitive,
        thumbprint: &str,
    ) -> Result<Option<Grant>, CryptoError> {
        let (text, token_hash) = fresh()?;
        let hash = sha256(session.expose().as_bytes());
        let mut tables = self.lock();
        let fits = tables.sessions.get(&hash).is_some_and(|session| {
            now < session.ends_at && constant_time_eq(session.thumbprint.as_bytes(), thumbprint.as_bytes())
        });
        if !fits {
            return Ok(None);
        }
        Ok(tables.grant(now, hash, token_hash).map(|ends_at| Grant { text, ends_at }))
    }

    /// What a token stands for, if it lives and is bound to this key.
    pub(super) fn find(&self, now: Millis, token: &str, thumbprint: &str) -> Option<Granted> {
        let tables = self.lock();
        let token = tables.tokens.get(&sha256(token.as_bytes()))?;
        let session = tables.sessions.get(&token.session)?;
        let bound = constant_time_eq(session.thumbprint.as_bytes(), thumbprint.as_bytes());
        let fits = bound && now < token.ends_at && now < session.ends_at;
        fits.then_some(Granted { binding: session.binding, session_ends_at: session.ends_at })
    }

    /// Forgets what has ended.
    pub(super) fn sweep(&self, now: Millis) {
        self.lock().sweep(now);
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn grant(&mut self, now: Millis, session_hash: Hash, token_hash: Hash) -> Option<Millis> {
        let session = self.sessions.get_mut(&session_hash)?;
        session.tokens.push_back(token_hash);
        let oldest = if session.tokens.len() > PER_SESSION { session.tokens.pop_front() } else { None };
        let ends_at = now.plus(TOKEN_MS).min(session.ends_at);
        if let Some(oldest) = oldest {
            self.tokens.remove(&oldest);
        }
        self.tokens.insert(token_hash, Token { session: session_hash, ends_at });
        Some(ends_at)
    }

    fn end(&mut self, hash: &Hash) {
        if let Some(session) = self.sessions.remove(hash) {
            for token in &session.tokens {
                self.tokens.remove(token);
            }
        }
    }

    fn sweep(&mut self, now: Millis) {
        let ended: Vec<Hash> =
            self.sessions.iter().filter(|(_, session)| session.ends_at <= now).map(|(hash, _)| *hash).collect();
        for hash in ended {
            self.end(&hash);
        }
        self.tokens.retain(|_, token| now < token.ends_at);
        let Self { sessions, devices, .. } = self;
        devices.retain(|_, hashes| {
            hashes.retain(|hash| sessions.contains_key(hash));
            !hashes.is_empty()
        });
    }
}

/// 256 random bits as text, and the hash that is kept of it. Always from the operating system: these never enter the log of
/// a seeded run, so they need not repeat.
fn fresh() -> Result<(Sensitive, Hash), CryptoError> {
    let text = BASE64URL_NOPAD.encode(&SystemRandom.bytes::<32>()?);
    let hash = sha256(text.as_bytes());
    Ok((Sensitive::new(text), hash))
}

#[cfg(test)]
mod tests {
    use saifu_wire::AccountId;
    use uuid::Uuid;

    use super::*;

    const NOW: Millis = Millis(1_000_000);

    fn binding(device: u128) -> Binding {
        Binding { account: AccountId(Uuid::from_u128(1)), device: DeviceId(Uuid::from_u128(device)), epoch: 1 }
    }

    fn open(sessions: &Sessions, now: Millis) -> (Sensitive, Sensitive) {
        let (session, token) = sessions.open(now, binding(2), "key").unwrap().unwrap();
        (session.text, token.text)
    }

    #[test]
    fn token_is_good_for_five_minutes_and_one_key() {
        let sessions = Sessions::default();
        let (session, token) = open(&sessions, NOW);
        assert_eq!(sessions.find(NOW.plus(299_999), token.expose(), "key").unwrap().binding, binding(2));
        assert!(sessions.find(NOW.plus(300_000), token.expose(), "key").is_none());
        assert!(sessions.find(NOW, token.expose(), "thief").is_none());
        assert!(sessions.find(NOW, session.expose(), "key").is_none());
    }

    #[test]
    fn no_token_outlives_its_session() {
        let sessions = Sessions::default();
        let (session, _) = open(&sessions, NOW);
        let late = NOW.plus(SESSION_MS - 1_000);
        let token = sessions.renew(late, &session, "key").unwrap().unwrap();
        assert_eq!(token.ends_at, NOW.plus(SESSION_MS));
        assert!(sessions.renew(NOW.plus(SESSION_MS), &session, "key").unwrap().is_none());
        assert!(sessions.renew(late, &session, "thief").unwrap().is_none());
    }

    #[test]
    fn what_ended_is_forgotten() {
        let sessions = Sessions::default();
        let _ = open(&sessions, NOW);
        sessions.sweep(NOW.plus(SESSION_MS));
        let tables = sessions.lock();
        assert!(tables.sessions.is_empty() && tables.tokens.is_empty() && tables.devices.is_empty());
    }

    #[test]
    fn a_device_keeps_its_newest_sessions_and_tokens_only() {
        let sessions = Sessions::default();
        let (session, first) = open(&sessions, NOW);
        for _ in 0..PER_SESSION {
            sessions.renew(NOW, &session, "key").unwrap().unwrap();
        }
        assert!(sessions.find(NOW, first.expose(), "key").is_none());
        for _ in 0..PER_DEVICE {
            open(&sessions, NOW);
        }
        assert!(sessions.renew(NOW, &session, "key").unwrap().is_none());
        let tables = sessions.lock();
        assert_eq!((tables.sessions.len(), tables.tokens.len()), (PER_DEVICE, PER_DEVICE));
    }
}
