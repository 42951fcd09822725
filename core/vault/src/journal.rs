//! The journal: what the wallet must never lose, as one small append-only file of *whole states*. Each append is one
//! sealed frame with the complete new state, and the newest whole frame is the state, so one append changes everything
//! at once or nothing. `saifu` (the wallet) opens it at start and appends before it answers anybody.
//!
//! # What is on the disk
//! `journal`, as [`layout`] and `FORMAT.md` say; for moments `journal.new`, which only ever becomes `journal` by a
//! rename after it was synchronised; and `journal.wiped`, while a wallet is being [destroyed](Journal::destroy). The vault
//! key (32 random bytes) stands sealed by the host in the header; frames are AES-256-GCM under it, with a fresh random
//! nonce each, bound to the SHA-256 of the header and to their sequence. Opening writes nothing and makes no key: an
//! empty folder stays empty until the first append.
//!
//! # When the file is appended to, and when replaced
//! A file is appended to only by the value that wrote all of it and heard no error. The first append after opening, and
//! the first after one that failed, write the file anew with the one new state: `journal.new`, synchronise, rename,
//! synchronise the folder. So a synchronisation that failed is never repeated and believed (after a failed `fsync` the
//! system may take lost pages for clean), an unfinished end is never written behind, and a disk that was full needs
//! nothing but space to go on.
//!
//! *A failed append* leaves on the disk the state before or the new one, whole. Which one matters to nobody while the
//! process lives: the caller keeps the state before and acts on no other, so its next state, whichever it is, rightly
//! replaces both. Should the process end first, the next one may find the state that failed; that is the crash below,
//! with which a caller must live anyway. Whoever wants it settled appends the state it holds.
//!
//! # What holds, crash by crash
//! Of the disk we assume that synchronised bytes stay, that a rename is all or nothing, and that of an append that was
//! not synchronised any prefix may be there, the rest missing or zero.
//! - *While appending*: the frame is whole, or its end is missing. A missing end is passed over at the next open; the
//!   state before it is then the newest. Nobody was told otherwise, since an append returns only after the sync.
//! - *While replacing* (as above, or because the file would pass [`COMPACT_AT`]): until the rename the old file stands,
//!   after it the new one. Both are sealed by the same key.
//! - *While making the first file*: the host makes its next sealing key beside the older ones. A key that no file names
//!   is left over, and goes with the older ones.
//! - *While destroying*: until the old file's rename to `journal.wiped` the wallet is there, and so is its key; after it
//!   the wallet is empty, and the next open finishes what is left to do.
//!
//! # When sealing keys end
//! Older keys of the host are deleted at two moments, never by opening: when the wallet says that this journal is the one
//! that counts ([`Journal::retire_older`], after the first state with an account and after opening one), and when it is
//! destroyed. Until then any number of folders on one key store live side by side; afterwards the others, and every
//! copy of an earlier file, are [`VaultError::RolledBack`].
//!
//! # What damage does
//! Anything but a missing end is [`VaultError::Corrupt`]: a flipped bit in the newest frame must not bring the state
//! before it back in silence. *Residual*: whoever can write the file can cut whole frames off its end, or put back an
//! earlier copy of the same generation, and no byte inside tells. A new sealing key ends that for all earlier copies;
//! within a generation it takes a witness outside the file, such as the issuer.

mod layout;

use std::sync::Arc;

use saifu_crypto::{CryptoError, Random, Secret, aead, hkdf_sha256, sha256};
use saifu_host::{KeyError, SealId, Secrets};

use crate::{CACHE_FOLDER, Disk, VaultError};
pub use layout::MAX_STATE;
use layout::{Frame, Header};

/// The file that is the journal.
pub const FILE: &str = "journal";
const NEW_FILE: &str = "journal.new";
const WIPED_FILE: &str = "journal.wiped";
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
    secrets: Arc<dyn Secrets>,
    random: Arc<dyn Random>,
    vault_key: Secret,
    /// `None` before the first append.
    sealed: Option<Sealed>,
    /// The number used last. One whose append failed is not used again.
    sequence: u64,
    /// Bytes of the file, if this value wrote all of them and they are on the medium; else the next append replaces it.
    len: Option<u64>,
}

/// The vault key as the file has it.
struct Sealed {
    id: SealId,
    header: Vec<u8>,
}

impl Sealed {
    /// Under a key of its own, so that copies of an earlier file can be made unreadable without this one.
    fn new(secrets: &dyn Secrets, vault_key: &Secret) -> Result<Self, VaultError> {
        let id = secrets.renew()?;
        let sealed_key = secrets.seal(vault_key)?;
        Ok(Self { id, header: Header { id, sealed_key }.encode()? })
    }

    fn context(&self, sequence: u64) -> Vec<u8> {
        [FRAME_CONTEXT, &sha256(&self.header), &sequence.to_be_bytes()].concat()
    }
}

impl Journal {
    /// Opens the journal of this disk and gives it with the state appended last, `None` when there is none. Asks the host
    /// for its newest key's name and one unsealing, and changes nothing, unless a [`destroy`](Self::destroy) was cut
    /// short: then it ends that first.
    ///
    /// # Errors
    /// [`VaultError::Corrupt`], [`Newer`](VaultError::Newer), [`Foreign`](VaultError::Foreign),
    /// [`RolledBack`](VaultError::RolledBack), [`KeyLost`](VaultError::KeyLost): the file cannot be used, and stays as
    /// it is. [`Key`](VaultError::Key), [`Io`](VaultError::Io): try again.
    pub fn open(
        disk: Arc<dyn Disk>,
        secrets: Arc<dyn Secrets>,
        random: Arc<dyn Random>,
    ) -> Result<(Self, Option<Secret>), VaultError> {
        let doing = VaultError::while_("reading the journal");
        if disk.read(WIPED_FILE, 0).map_err(&doing)?.is_some() {
            finish_destroying(&*disk, &*secrets)?;
        }
        let Some(file) = disk.read(FILE, MAX_FILE).map_err(&doing)? else {
            // A host that does not answer is found now, and not in the middle of a sign-up.
            secrets.id()?;
            let vault_key = random.secret(VAULT_KEY_LEN)?;
            return Ok((Self { disk, secrets, random, vault_key, sealed: None, sequence: 0, len: None }, None));
        };
        if u64::try_from(file.len()).unwrap_or(u64::MAX) > MAX_FILE {
            return Err(VaultError::Corrupt { what: "it is too long" });
        }
        let (header, header_len) = Header::decode(&file)?;
        let newest = layout::newest(&file, header_len)?;
        let vault_key = unseal(&*secrets, &header)?;
        let sealed = Sealed { id: header.id, header: file.get(..header_len).unwrap_or_default().to_vec() };
        let (sequence, state) = match newest {
            None => (0, None),
            Some(frame) => {
                let state = aead::open(&vault_key, &frame.nonce, &sealed.context(frame.sequence), frame.text);
                let damaged = |_| VaultError::Corrupt { what: "the newest entry does not open" };
                (frame.sequence, Some(state.map_err(damaged)?))
            }
        };
        Ok((Self { disk, secrets, random, vault_key, sealed: Some(sealed), sequence, len: None }, state))
    }

    /// Replaces the state. When this returns, the new one is on the medium. The first append to an empty folder asks the
    /// host for a key and a seal.
    ///
    /// # Errors
    /// [`VaultError::TooLarge`] above [`MAX_STATE`], [`Key`](VaultError::Key): nothing happened.
    /// [`Io`](VaultError::Io): hold on to the state before, and append again; until an append succeeds, the next process
    /// may find either state.
    pub fn append(&mut self, state: &Secret) -> Result<(), VaultError> {
        if state.len() > MAX_STATE {
            return Err(VaultError::TooLarge { len: state.len(), most: MAX_STATE });
        }
        let sequence = self.sequence.checked_add(1).ok_or(VaultError::Corrupt { what: "its sequence has run out" })?;
        let sealed = match self.sealed.take() {
            Some(sealed) => sealed,
            None => Sealed::new(&*self.secrets, &self.vault_key)?,
        };
        let sealed = self.sealed.insert(sealed);
        let nonce = self.random.bytes()?;
        let text = aead::seal(&self.vault_key, &nonce, &sealed.context(sequence), state.expose())?;
        let frame = Frame { sequence, nonce, text: &text }.encode()?;

        self.sequence = sequence;
        let added = u64::try_from(frame.len()).unwrap_or(u64::MAX);
        // Taken: it is known again only after everything went well.
        let longer = self.len.take().map(|len| len.saturating_add(added)).filter(|len| *len <= COMPACT_AT);
        self.len = Some(match longer {
            Some(len) => {
                let doing = VaultError::while_("writing the journal");
                self.disk.append(FILE, &frame).map_err(&doing)?;
                self.disk.sync(FILE).map_err(&doing)?;
                len
            }
            None => replace(&*self.disk, &[&sealed.header[..], &frame].concat())?,
        });
        Ok(())
    }

    /// Deletes the host's older sealing keys, and with them makes every earlier file of this key store unreadable for
    /// ever, also in copies. For a journal with an account; call it after the append that brought one, and after opening
    /// one, which ends what a crash cut short. It costs little when there is nothing to delete, and does nothing when
    /// this journal's own key is not the newest: another folder is being signed up on the same key store.
    ///
    /// # Errors
    /// [`VaultError::Key`]: call it again later.
    pub fn retire_older(&self) -> Result<(), VaultError> {
        let own = self.sealed.as_ref().map(|sealed| sealed.id);
        if own.is_some() && self.secrets.id()? == own {
            self.secrets.retire()?;
        }
        Ok(())
    }

    /// Leaves an empty folder, and nothing of what was in it readable, neither in copies of the files nor in what the
    /// medium keeps of deleted blocks: the host makes a new sealing key and deletes all older ones, whatever they sealed.
    /// The journal need not open; none, and no cache, may be open. A crash leaves the wallet as it was, or an
    /// empty one, which the next [`open`](Self::open) finishes.
    ///
    /// # Errors
    /// [`VaultError::Key`]: nothing changed. [`Io`](VaultError::Io): the wallet is as it was, or empty. Repeat it.
    /// [`WipeUnfinished`](VaultError::WipeUnfinished): the wallet is empty, but copies of it may still be readable;
    /// repeat, or open, to finish.
    pub fn destroy(disk: &dyn Disk, secrets: &dyn Secrets) -> Result<(), VaultError> {
        let doing = VaultError::while_("deleting the wallet");
        // First, so that the key of these files is not the newest one, which no host deletes.
        secrets.renew()?;
        if disk.read(FILE, 0).map_err(&doing)?.is_some() {
            disk.rename(FILE, WIPED_FILE).map_err(&doing)?;
            // Before anything else goes, so that what a crash leaves is whole.
            disk.sync_folder().map_err(&doing)?;
        }
        match finish_destroying(disk, secrets) {
            Err(VaultError::Key(error)) => Err(VaultError::WipeUnfinished(error)),
            done => done,
        }
    }

    /// A 32-byte key for another purpose (HKDF-SHA-256, RFC 5869), named by a label such as `cache`. The same for as long
    /// as the wallet is: an empty folder's is kept by its first [`append`](Self::append).
    ///
    /// # Errors
    /// [`VaultError::Crypto`], which does not happen with a healthy library.
    pub fn derive(&self, label: &str) -> Result<Secret, VaultError> {
        Ok(hkdf_sha256(DERIVE_SALT, &self.vault_key, label.as_bytes(), VAULT_KEY_LEN)?)
    }
}

/// Makes `bytes` the whole file, all or nothing, and gives their number.
fn replace(disk: &dyn Disk, bytes: &[u8]) -> Result<u64, VaultError> {
    let doing = VaultError::while_("replacing the journal");
    disk.write(NEW_FILE, bytes).map_err(&doing)?;
    disk.sync(NEW_FILE).map_err(&doing)?;
    disk.rename(NEW_FILE, FILE).map_err(&doing)?;
    disk.sync_folder().map_err(&doing)?;
    Ok(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
}

/// What [`Journal::destroy`] does from the moment on when `journal` has lost its name; `journal.wiped` stays until the keys
/// are gone.
fn finish_destroying(disk: &dyn Disk, secrets: &dyn Secrets) -> Result<(), VaultError> {
    let doing = VaultError::while_("deleting the wallet");
    disk.remove(NEW_FILE).map_err(&doing)?;
    disk.remove_folder(CACHE_FOLDER).map_err(&doing)?;
    disk.sync_folder().map_err(&doing)?;
    secrets.retire()?;
    disk.remove(WIPED_FILE).map_err(&doing)?;
    disk.sync_folder().map_err(&doing)
}

/// The vault key, or which of the reasons there is for not having it.
fn unseal(secrets: &dyn Secrets, header: &Header) -> Result<Secret, VaultError> {
    let newest = secrets.id()?.filter(|id| id.install == header.id.install).ok_or(VaultError::Foreign)?;
    if header.id.generation > newest.generation {
        // The file is younger than the host's key: the key store was put back, not the file.
        return Err(VaultError::KeyLost);
    }
    match secrets.unseal(&header.sealed_key) {
        Ok(key) if key.len() == VAULT_KEY_LEN => Ok(key),
        Ok(_) => Err(VaultError::Crypto(CryptoError::InvalidKey)),
        Err(KeyError::Gone) if header.id.generation < newest.generation => Err(VaultError::RolledBack),
        Err(KeyError::Gone) => Err(VaultError::KeyLost),
        Err(other) => Err(VaultError::Key(other)),
    }
}
