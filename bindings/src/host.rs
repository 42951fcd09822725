//! What a shell implements, and how the core sees it. The core trusts a host's keys with nothing it can check itself: public
//! keys must be points on P-256 and are compared with the first answer, signatures must verify, sealed texts must be bounded.
//! A host that throws, blocks for long or answers nonsense is an error of the key store, never more.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, SystemTime};

use saifu::Error;
use saifu_host::{KeyError, KeyInfo, Platform, PublicKey, Reading, SealId, Secret};

use crate::error::{HostError, WalletError};
use crate::runtime::{MAX_BLOCKING, runtime};
use crate::values::millis;

/// How long a call of the host may take. A key store needs milliseconds, and none of these calls prompts; whatever takes
/// this long is stuck, and the thread it took is written off. Less than what the link gives the opening of a session, so that
/// a key store that hangs is told as one and not as an issuer that cannot be reached.
const PATIENCE: Duration = Duration::from_secs(5);
/// Calls of the host under way, stuck ones included; one more is answered `Temporary` at once. Whoever waits for one may hold
/// a second thread, so at least half of the threads are left for files, whatever the host does.
const MOST_CALLS: usize = MAX_BLOCKING / 4;
/// A sealed text of 4 KiB and whatever a platform puts round it.
const MAX_SEALED: usize = 64 * 1024;
const BOOT_ID_LEN: usize = 16;

/// Which of the two keys of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Role {
    /// Signs without a prompt.
    Device,
    /// Signs only with the owner's presence, in the shell, behind its prompt.
    Authorization,
}

/// What a host tells of a key.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HostKey {
    /// The public half: SubjectPublicKeyInfo of a P-256 key, DER (RFC 5480 §2).
    pub spki: Vec<u8>,
    /// Whether the platform keeps it in hardware.
    pub hardware: bool,
}

/// Names a sealing key.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SealName {
    /// 16 random bytes, made with the first sealing key of this installation.
    pub install: Vec<u8>,
    /// Rises by one with each new key, from 1.
    pub generation: i64,
}

/// What a host's clocks show at one moment.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ClockReading {
    /// The wall clock, as the platform has it: a moment, so that no host takes seconds for milliseconds.
    pub wall: SystemTime,
    /// Milliseconds since the device started, including sleep: no moment of any calendar. Not below 0.
    pub elapsed_ms: i64,
    /// 16 bytes that change with every start of the device.
    pub boot_id: Vec<u8>,
}

/// The two P-256 keys of this device, never exportable. Calls come on threads of the library, one or several at a time.
///
/// An implementation signs messages (SHA-256 inside, never a bare digest), gives ASN.1 DER signatures, keeps each key across
/// restarts until it is deleted, and throws `Gone` only when the platform itself says that the key exists no more.
#[uniffi::export(with_foreign)]
pub trait Keys: Send + Sync {
    /// Makes the key of this role if there is none, else reports the one there is.
    fn create(&self, role: Role) -> Result<HostKey, HostError>;

    /// The key of this role; `Gone` when there is none.
    fn info(&self, role: Role) -> Result<HostKey, HostError>;

    /// Signs with the device key; never prompts.
    fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, HostError>;

    /// Removes the key of this role; removing an absent one is fine.
    fn delete(&self, role: Role) -> Result<(), HostError>;
}

/// Wraps small secrets under a key that never leaves this device: authenticated encryption, without a prompt, also while the
/// screen is locked.
#[uniffi::export(with_foreign)]
pub trait Secrets: Send + Sync {
    /// Seals up to 4 KiB under the newest key; `Gone` when there is none yet.
    fn seal(&self, plain: Vec<u8>) -> Result<Vec<u8>, HostError>;

    /// Gives exactly what was sealed; `Gone` when its key exists no more or the bytes are damaged.
    fn unseal(&self, sealed: Vec<u8>) -> Result<Vec<u8>, HostError>;

    /// The newest key's name; none before the first `renew`.
    fn id(&self) -> Result<Option<SealName>, HostError>;

    /// Makes the next sealing key beside the older ones; durable when it returns.
    fn renew(&self) -> Result<SealName, HostError>;

    /// Deletes every key but the newest, for ever; durable when it returns.
    fn retire(&self) -> Result<(), HostError>;
}

/// The host's clocks. Read often, so it must answer at once.
#[uniffi::export(with_foreign)]
pub trait Clock: Send + Sync {
    /// All three at one moment; elapsed time never falls within one boot.
    fn read(&self) -> Result<ClockReading, HostError>;
}

/// The host as the core wants it. Reads the clock once, so that a clock that does not work is found here.
pub(crate) fn platform(
    keys: Arc<dyn Keys>,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
) -> Result<Platform, WalletError> {
    let Some(first) = reading(&*clock) else {
        return Err(Error::InvalidInput("The host's clock does not answer.").into());
    };
    Ok(Platform {
        keys: Arc::new(CheckedKeys { keys, known: Mutex::default() }),
        secrets: Arc::new(CheckedSecrets(secrets)),
        clock: Arc::new(CheckedClock { clock, last: Mutex::new(first) }),
    })
}

static CALLS: AtomicUsize = AtomicUsize::new(0);

/// One of the calls that may be under way.
struct Call;

impl Call {
    fn begin() -> Option<Self> {
        let more = |calls: usize| calls.checked_add(1).filter(|calls| *calls <= MOST_CALLS);
        CALLS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Self)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        CALLS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Calls the host on a thread that can be written off.
fn ask<T: Send + 'static>(call: impl FnOnce() -> Result<T, HostError> + Send + 'static) -> Result<T, KeyError> {
    let (answer, answered) = mpsc::sync_channel(1);
    let runtime = runtime().ok_or(KeyError::Temporary)?;
    let begun = Call::begin().ok_or(KeyError::Temporary)?;
    runtime.spawn_blocking(move || {
        let answered = call();
        drop(begun);
        // Nobody waits for an answer that comes too late.
        let _ = answer.send(answered);
    });
    // A panic on the way drops the sender, which ends the waiting as well.
    answered.recv_timeout(PATIENCE).map_err(|_| KeyError::Temporary)?.map_err(KeyError::from)
}

/// A public key as the host wrote it, and as it was read.
type Known = (Vec<u8>, PublicKey);

/// Verifies each public key once and remembers it, so that a host that changes its mind is noticed.
struct CheckedKeys {
    keys: Arc<dyn Keys>,
    known: Mutex<[Option<Known>; 2]>,
}

impl CheckedKeys {
    fn remembered(&self, role: saifu_host::Role) -> Option<PublicKey> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(place(role))?.as_ref().map(|(_, public_key)| public_key.clone())
    }

    fn checked(&self, role: saifu_host::Role, key: HostKey) -> Result<KeyInfo, KeyError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = known.get_mut(place(role)).ok_or(KeyError::Temporary)?;
        let public_key = match slot {
            Some((spki, public_key)) if *spki == key.spki => public_key.clone(),
            Some(_) => return Err(KeyError::Temporary),
            None => {
                let public_key = PublicKey::from_spki(&key.spki).map_err(|_| KeyError::Temporary)?;
                *slot = Some((key.spki, public_key.clone()));
                public_key
            }
        };
        Ok(KeyInfo { public_key, hardware: key.hardware })
    }
}

impl saifu_host::Keys for CheckedKeys {
    fn create(&self, role: saifu_host::Role) -> Result<KeyInfo, KeyError> {
        let keys = Arc::clone(&self.keys);
        let key = ask(move || keys.create(role.into()))?;
        self.checked(role, key)
    }

    fn info(&self, role: saifu_host::Role) -> Result<KeyInfo, KeyError> {
        let keys = Arc::clone(&self.keys);
        let key = ask(move || keys.info(role.into()))?;
        self.checked(role, key)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let (keys, signed) = (Arc::clone(&self.keys), message.to_vec());
        let signature = ask(move || keys.sign(signed))?;
        let role = saifu_host::Role::Device;
        let public_key = match self.remembered(role) {
            Some(public_key) => public_key,
            None => self.info(role)?.public_key,
        };
        public_key.verify_der(message, &signature).map_err(|_| KeyError::Temporary)?;
        Ok(signature)
    }

    fn delete(&self, role: saifu_host::Role) -> Result<(), KeyError> {
        let keys = Arc::clone(&self.keys);
        ask(move || keys.delete(role.into()))?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = known.get_mut(place(role)) {
            *slot = None;
        }
        Ok(())
    }
}

fn place(role: saifu_host::Role) -> usize {
    match role {
        saifu_host::Role::Device => 0,
        saifu_host::Role::Authorization => 1,
    }
}

impl From<saifu_host::Role> for Role {
    fn from(role: saifu_host::Role) -> Self {
        match role {
            saifu_host::Role::Device => Self::Device,
            saifu_host::Role::Authorization => Self::Authorization,
        }
    }
}

struct CheckedSecrets(Arc<dyn Secrets>);

impl saifu_host::Secrets for CheckedSecrets {
    /// Opens what it got at once: a text that does not open would only be found after the restart that needs it.
    fn seal(&self, plain: &Secret) -> Result<Vec<u8>, KeyError> {
        let (secrets, bytes) = (Arc::clone(&self.0), plain.expose().to_vec());
        let sealed = ask(move || secrets.seal(bytes))?;
        let opened = if sealed.len() > MAX_SEALED { None } else { self.unseal(&sealed).ok() };
        let same = opened.is_some_and(|opened| opened.expose() == plain.expose());
        if same { Ok(sealed) } else { Err(KeyError::Temporary) }
    }

    fn unseal(&self, sealed: &[u8]) -> Result<Secret, KeyError> {
        let (secrets, sealed) = (Arc::clone(&self.0), sealed.to_vec());
        ask(move || secrets.unseal(sealed)).map(Secret::new)
    }

    fn id(&self) -> Result<Option<SealId>, KeyError> {
        let secrets = Arc::clone(&self.0);
        ask(move || secrets.id())?.map(seal_id).transpose()
    }

    fn renew(&self) -> Result<SealId, KeyError> {
        let secrets = Arc::clone(&self.0);
        ask(move || secrets.renew()).and_then(seal_id)
    }

    fn retire(&self) -> Result<(), KeyError> {
        let secrets = Arc::clone(&self.0);
        ask(move || secrets.retire())
    }
}

fn seal_id(name: SealName) -> Result<SealId, KeyError> {
    let install = name.install.try_into().map_err(|_| KeyError::Temporary)?;
    let generation = u64::try_from(name.generation).map_err(|_| KeyError::Temporary)?;
    Ok(SealId { install, generation })
}

/// A clock that fails, or that asks the wallet while it is asked, shows its last reading. It is called directly: it is read
/// too often to change threads for it.
struct CheckedClock {
    clock: Arc<dyn Clock>,
    last: Mutex<Reading>,
}

thread_local! {
    static READING: Cell<bool> = const { Cell::new(false) };
}

impl saifu_host::Clock for CheckedClock {
    fn read(&self) -> Reading {
        let read = if READING.replace(true) {
            None
        } else {
            let read = reading(&*self.clock);
            READING.set(false);
            read
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            // Elapsed time never falls within one boot, whatever the host says.
            Some(read) if read.boot_id == last.boot_id => {
                *last = Reading { elapsed_ms: read.elapsed_ms.max(last.elapsed_ms), ..read };
            }
            Some(read) => *last = read,
            None => {}
        }
        *last
    }
}

fn reading(clock: &dyn Clock) -> Option<Reading> {
    let read = catch_unwind(AssertUnwindSafe(|| clock.read())).ok()?.ok()?;
    let boot_id: [u8; BOOT_ID_LEN] = read.boot_id.try_into().ok()?;
    Some(Reading { wall_ms: millis(read.wall), elapsed_ms: u64::try_from(read.elapsed_ms).ok()?, boot_id })
}

#[cfg(test)]
mod tests;
