//! The issuer as files: what `saifu sandbox snapshot` takes of a running sandbox, and a stopped one is given back.
//!
//! The copy of the database is one SQLite makes beside the running writer, so it is one moment of it. The clock is read
//! after it: no posting in the copy lies ahead of the clock in it. Sessions and nonces live in memory and are no part; phones
//! open new ones as after any restart. Faults that wait are no part either.

use std::collections::BTreeMap;
use std::path::Path;

use data_encoding::BASE64;
use saifu_wire::{Problem, ProblemCode};

use crate::files::{DATABASE, FolderError, STATE, replace};
use crate::issuer::Issuer;

/// The number of this form.
const FORMAT: u32 = 1;
/// Where the copy of the database is made, for a moment.
const COPY: &str = "snapshot.db";

/// Everything that a stopped sandbox would find in its folder.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerSnapshot {
    format: u32,
    /// Each file in base64 (RFC 4648 §4), by its name.
    files: BTreeMap<String, String>,
}

/// Why a snapshot is not restored. The folder is as it was, unless writing into it failed.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Another version's form.
    #[error("the issuer's part has format {0}, this version reads {FORMAT}")]
    Format(u32),
    /// Other files than a sandbox has.
    #[error("the issuer's part is not what a sandbox keeps")]
    Malformed,
    /// The folder cannot be used: a sandbox runs there, or a file cannot be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

impl IssuerSnapshot {
    /// Puts the issuer into a folder that no sandbox is running in, in place of the one that is there.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub fn restore(&self, data: &Path) -> Result<(), RestoreError> {
        Ok(replace(data, &self.decoded()?)?)
    }

    /// Makes sure that it can be restored, as far as that is known beforehand.
    ///
    /// # Errors
    /// [`RestoreError::Format`], [`RestoreError::Malformed`].
    pub fn check(&self) -> Result<(), RestoreError> {
        self.decoded().map(drop)
    }

    fn decoded(&self) -> Result<BTreeMap<&'static str, Vec<u8>>, RestoreError> {
        if self.format != FORMAT {
            return Err(RestoreError::Format(self.format));
        }
        if self.files.len() != STATE.len() {
            return Err(RestoreError::Malformed);
        }
        let decoded = STATE.iter().map(|name| {
            let text = self.files.get(*name).ok_or(RestoreError::Malformed)?;
            let bytes = BASE64.decode(text.as_bytes()).map_err(|_| RestoreError::Malformed)?;
            Ok((*name, bytes))
        });
        decoded.collect()
    }
}

/// Whether a folder holds an issuer that a restore would replace.
#[must_use]
pub fn holds_an_issuer(data: &Path) -> bool {
    STATE.iter().any(|name| data.join(name).exists())
}

impl Issuer {
    /// The issuer as files, while it goes on.
    ///
    /// # Errors
    /// `internal` when a file cannot be read or the copy not be written.
    pub(crate) async fn snapshot(&self) -> Result<IssuerSnapshot, Problem> {
        let copy = self.folder.file(COPY);
        self.rules.copy_database(copy.clone()).await?;
        let read = |name: &'static str| {
            let path = if name == DATABASE { copy.clone() } else { self.folder.file(name) };
            let bytes = std::fs::read(&path).map_err(|error| {
                tracing::error!(%error, name, "a file could not be read for a snapshot");
                Problem::from(ProblemCode::Internal)
            })?;
            Ok((name.to_owned(), BASE64.encode(&bytes)))
        };
        let files = STATE.into_iter().map(read).collect::<Result<_, Problem>>();
        // What stays behind is written over by the next one.
        let _ = std::fs::remove_file(&copy);
        Ok(IssuerSnapshot { format: FORMAT, files: files? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> IssuerSnapshot {
        let files = STATE.iter().map(|name| ((*name).to_owned(), BASE64.encode(name.as_bytes()))).collect();
        IssuerSnapshot { format: FORMAT, files }
    }

    #[test]
    fn restored_files_are_the_ones_taken_and_the_old_log_of_the_database_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!holds_an_issuer(folder.path()));
        std::fs::write(folder.path().join("issuer.db-wal"), "old").unwrap();
        snapshot().restore(folder.path()).unwrap();
        assert!(holds_an_issuer(folder.path()));
        assert!(!folder.path().join("issuer.db-wal").exists());
        assert_eq!(std::fs::read(folder.path().join(DATABASE)).unwrap(), DATABASE.as_bytes());
    }

    #[test]
    fn another_format_and_other_files_are_refused_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let other = IssuerSnapshot { format: 2, ..snapshot() };
        assert!(matches!(other.restore(folder.path()), Err(RestoreError::Format(2))));
        let mut more = snapshot();
        more.files.insert("../evil".into(), String::new());
        assert!(matches!(more.restore(folder.path()), Err(RestoreError::Malformed)));
        more.files.remove(DATABASE);
        assert!(matches!(more.restore(folder.path()), Err(RestoreError::Malformed)));
        assert!(!holds_an_issuer(folder.path()));
    }
}
