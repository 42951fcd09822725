//! The journal: what the wallet must never lose, as one small append-only file of *whole states*. Each append is one
//! sealed frame with the complete new state, and the newest whole frame is the state, so one append changes everything
//! at once or nothing. `saifu` (the wallet) opens it at start and appends before it answers anybody.
//!
//! # What is on the disk
//! `journal`, as [`layout`] and `FORMAT.md` say, and for moments `journal.new`, which only ever becomes `journal` by a
//! rename after it was synchronised. The vault key (32 random bytes) stands sealed by the host in the header; frames are
//! AES-256-GCM under it, with a fresh random nonce each, bound to the SHA-256 of the header and to their sequence.
//!
//! # What holds, crash by crash
//! Of the disk we assume that synchronised bytes stay, that a rename is all or nothing, and that of an append that was
//! not synchronised any prefix may be there, the rest missing or zero.
//! - *While appending*: the frame is whole, or its end is missing. A missing end is cut off at the next open; the state
//!   before it is then the newest. Nobody was told otherwise, since an append returns only after the sync.
//! - *While compacting* (the file would pass [`COMPACT_AT`]): `journal.new` holds header and new state; until the rename
//!   the old file stands, after it the new one. Both are sealed by the same key.
//! - *While rotating* ([`Journal::rotate`]): the host first makes the next sealing key beside the old one, the new file
//!   is written under a new vault key sealed by it, synchronised and renamed, the folder is synchronised, and only then
//!   does the host delete the old sealing key. Before the rename the old file and its key are there, after it the new
//!   file and both keys. Opening a file of the newest generation deletes older keys again, which finishes an interrupted
//!   rotation.
//!
//! # What damage does
//! Anything but a missing end is [`VaultError::Corrupt`]: a flipped bit in the newest frame must not bring the state
//! before it back in silence. *Residual*: whoever can write the file can cut whole frames off its end, or put back an
//! earlier copy of the same generation, and no byte inside tells. Rotation ends that for all earlier copies; within a
//! generation it takes a witness outside the file, such as the issuer.

mod layout;

use std::sync::Arc;

use saifu_crypto::{CryptoError, Random, Secret, aead, hkdf_sha256, sha256};
use saifu_host::{KeyError, SealId, Secrets};

use crate::{Disk, VaultError};
pub use layout::MAX_STATE;
use layout::{Frame, Header};

/// The file that is the journal.
pub const FILE: &str = "journal";
const NEW_FILE: &str = "journal.new";
/// An append that would make the file longer than this many bytes writes a new file with the one state instead.
pub const COMPACT_AT: u64 = 256 * 1024;
/// No file of ours is longer; a longer one is not read into memory.
const MAX_FILE: u64 = 1024 * 1024;
const FRAME_CONTEXT: &[u8] = b"saifu/journal/v1";
const DERIVE_SALT: &[u8] = b"saifu/vault/v1";
const VAULT_KEY_LEN: usize = 32;

/// An open journal. It keeps the vault key in memory; dropping it wipes that.
pub struct Journal {
    disk: Arc<dyn Disk>,
    random: Arc<dyn Random>,
    generation: Generation,
    sequence: u64,
    /// Bytes of the file.
    len: u64,
    /// A write failed, so what is on the disk is unknown.
    broken: bool,
    wipe_pending: bool,
}

/// What one sealing of the vault key fixes.
struct Generation {
    id: SealId,
    vault_key: Secret,
    header: Vec<u8>,
}

impl Generation {
    /// A new vault key under the host's newest sealing key, which `id` names.
    fn new(secrets: &dyn Secrets, random: &Arc<dyn Random>, id: SealId) -> Result<Self, VaultError> {
        let vault_key = random.secret(VAULT_KEY_LEN)?;
        let sealed_key = secrets.seal(&vault_key)?;
        Ok(Self { id, vault_key, header: Header { id, sealed_key }.encode()? })
    }

    fn context(&self, sequence: u64) -> Vec<u8> {
        [FRAME_CONTEXT, &sha256(&self.header), &sequence.to_be_bytes()].concat()
    }

    fn frame(&self, random: &Arc<dyn Random>, sequence: u64, state: &Secret) -> Result<Vec<u8>, VaultError> {
        if state.len() > MAX_STATE {
            return Err(VaultError::TooLarge { len: state.len(), most: MAX_STATE });
        }
        let nonce = random.bytes()?;
        let text = aead::seal(&self.vault_key, &nonce, &self.context(sequence), state.expose())?;
        Frame { sequence, nonce, text }.encode()
    }

    fn open(&self, frame: &Frame) -> Result<Secret, VaultError> {
        aead::open(&self.vault_key, &frame.nonce, &self.context(frame.sequence), &frame.text)
            .map_err(|_| VaultError::Corrupt { what: "the newest entry does not open" })
    }
}

impl Journal {
    /// Opens the journal of this disk, making one if there is none; gives it with the state appended last, `None` when
    /// none ever was. Asks the host for one unsealing, and to [retire](Secrets::retire) keys that a crash left over.
    ///
    /// # Errors
    /// [`VaultError::Corrupt`], [`Newer`](VaultError::Newer), [`Foreign`](VaultError::Foreign),
    /// [`RolledBack`](VaultError::RolledBack), [`KeyLost`](VaultError::KeyLost): the file cannot be used, and stays as
    /// it is. [`Key`](VaultError::Key), [`Io`](VaultError::Io): try again.
    pub fn open(
        disk: Arc<dyn Disk>,
        secrets: &dyn Secrets,
        random: Arc<dyn Random>,
    ) -> Result<(Self, Option<Secret>), VaultError> {
        let doing = VaultError::while_("reading the journal");
        disk.remove(NEW_FILE).map_err(&doing)?;
        match disk.read(FILE, MAX_FILE).map_err(&doing)? {
            Some(file) => Self::open_file(&file, disk, secrets, random),
            None => Self::create(disk, secrets, random).map(|journal| (journal, None)),
        }
    }

    /// A first journal always has a key of its own, so that copies of one that was removed stay dead.
    fn create(disk: Arc<dyn Disk>, secrets: &dyn Secrets, random: Arc<dyn Random>) -> Result<Self, VaultError> {
        let id = secrets.renew()?;
        let generation = Generation::new(secrets, &random, id)?;
        let mut journal = Self { disk, random, generation, sequence: 0, len: 0, broken: false, wipe_pending: false };
        journal.replace(&[])?;
        journal.wipe_pending = secrets.retire().is_err();
        Ok(journal)
    }

    fn open_file(
        file: &[u8],
        disk: Arc<dyn Disk>,
        secrets: &dyn Secrets,
        random: Arc<dyn Random>,
    ) -> Result<(Self, Option<Secret>), VaultError> {
        let len = u64::try_from(file.len()).unwrap_or(u64::MAX);
        if len > MAX_FILE {
            return Err(VaultError::Corrupt { what: "it is too long" });
        }
        let (header, header_len) = Header::decode(file)?;
        let found = layout::walk(file, header_len)?;
        let (vault_key, newest) = unseal(secrets, &header)?;
        let header_bytes = file.get(..header_len).unwrap_or_default().to_vec();
        let generation = Generation { id: header.id, vault_key, header: header_bytes };
        let state = found.newest.as_ref().map(|frame| generation.open(frame)).transpose()?;

        let solid = u64::try_from(found.solid).unwrap_or(u64::MAX);
        if solid < len {
            let doing = VaultError::while_("cutting off an unfinished entry");
            disk.truncate(FILE, solid).map_err(&doing)?;
            disk.sync(FILE).map_err(&doing)?;
        }
        // An unfinished wipe must not keep the owner out: it stays pending.
        let wipe_pending = newest.generation != generation.id.generation || secrets.retire().is_err();
        let sequence = found.newest.map_or(0, |frame| frame.sequence);
        Ok((Self { disk, random, generation, sequence, len: solid, broken: false, wipe_pending }, state))
    }

    /// Replaces the state. When this returns, the new one is on the medium.
    ///
    /// # Errors
    /// [`VaultError::TooLarge`] above [`MAX_STATE`]. [`Io`](VaultError::Io): whether the new state or the one before
    /// holds is known only after opening again, and until then every write answers [`Broken`](VaultError::Broken).
    pub fn append(&mut self, state: &Secret) -> Result<(), VaultError> {
        self.usable()?;
        let sequence = self.next_sequence()?;
        let frame = self.generation.frame(&self.random, sequence, state)?;
        let len = self.len.saturating_add(u64::try_from(frame.len()).unwrap_or(u64::MAX));
        if len > COMPACT_AT {
            self.replace(&frame)?;
        } else {
            let doing = VaultError::while_("writing the journal");
            self.broken = true;
            self.disk.append(FILE, &frame).map_err(&doing)?;
            self.disk.sync(FILE).map_err(&doing)?;
            self.broken = false;
            self.len = len;
        }
        self.sequence = sequence;
        Ok(())
    }

    /// Replaces the state and makes every earlier one unreadable for ever, also in copies of the file and in what the
    /// medium keeps of deleted blocks: a new vault key, sealed by a new key of the host, whose old one is deleted. Keys
    /// [derived](Self::derive) before change with it.
    ///
    /// # Errors
    /// [`VaultError::Key`]: nothing changed, and the journal goes on. [`Io`](VaultError::Io): as with
    /// [`append`](Self::append). [`WipeUnfinished`](VaultError::WipeUnfinished): the new state is durable, but the old
    /// key is still there; repeat, or open again.
    pub fn rotate(&mut self, secrets: &dyn Secrets, state: &Secret) -> Result<(), VaultError> {
        self.usable()?;
        let sequence = self.next_sequence()?;
        let id = secrets.renew()?;
        // The host has moved on from here, whatever follows; the file of the older generation stays good until the rename.
        self.wipe_pending = true;
        let generation = Generation::new(secrets, &self.random, id)?;
        let frame = generation.frame(&self.random, sequence, state)?;
        let before = std::mem::replace(&mut self.generation, generation);
        if let Err(error) = self.replace(&frame) {
            self.generation = before;
            return Err(error);
        }
        self.sequence = sequence;
        secrets.retire().map_err(VaultError::WipeUnfinished)?;
        self.wipe_pending = false;
        Ok(())
    }

    /// A 32-byte key for another purpose (HKDF-SHA-256, RFC 5869), named by a label such as `cache`. The same for as long
    /// as the vault key is: until [`rotate`](Self::rotate).
    ///
    /// # Errors
    /// [`VaultError::Crypto`], which does not happen with a healthy library.
    pub fn derive(&self, label: &str) -> Result<Secret, VaultError> {
        Ok(hkdf_sha256(DERIVE_SALT, &self.generation.vault_key, label.as_bytes(), VAULT_KEY_LEN)?)
    }

    /// How many states were ever appended.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether a rotation began and did not end: earlier states may still be readable, and another
    /// [`rotate`](Self::rotate) is due.
    #[must_use]
    pub fn wipe_pending(&self) -> bool {
        self.wipe_pending
    }

    fn usable(&self) -> Result<(), VaultError> {
        if self.broken { Err(VaultError::Broken) } else { Ok(()) }
    }

    fn next_sequence(&self) -> Result<u64, VaultError> {
        self.sequence.checked_add(1).ok_or(VaultError::Corrupt { what: "its sequence has run out" })
    }

    /// Makes header and `frames` the whole file, all or nothing.
    fn replace(&mut self, frames: &[u8]) -> Result<(), VaultError> {
        let doing = VaultError::while_("replacing the journal");
        let bytes = [&self.generation.header, frames].concat();
        self.broken = true;
        self.disk.write(NEW_FILE, &bytes).map_err(&doing)?;
        self.disk.sync(NEW_FILE).map_err(&doing)?;
        self.disk.rename(NEW_FILE, FILE).map_err(&doing)?;
        self.disk.sync_folder().map_err(&doing)?;
        self.broken = false;
        self.len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(())
    }
}

/// The vault key and the host's newest key's name, or which of the reasons there is for not having it.
fn unseal(secrets: &dyn Secrets, header: &Header) -> Result<(Secret, SealId), VaultError> {
    let newest = secrets.id()?.filter(|id| id.install == header.id.install).ok_or(VaultError::Foreign)?;
    if header.id.generation > newest.generation {
        // The file is younger than the host's key: the key store was put back, not the file.
        return Err(VaultError::KeyLost);
    }
    match secrets.unseal(&header.sealed_key) {
        Ok(key) if key.len() == VAULT_KEY_LEN => Ok((key, newest)),
        Ok(_) => Err(VaultError::Crypto(CryptoError::InvalidKey)),
        Err(KeyError::Gone) if header.id.generation < newest.generation => Err(VaultError::RolledBack),
        Err(KeyError::Gone) => Err(VaultError::KeyLost),
        Err(other) => Err(VaultError::Key(other)),
    }
}
