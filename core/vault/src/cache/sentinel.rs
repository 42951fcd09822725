//! Counts openings that did not come back. A panic is caught, but a database that makes the process run out of memory,
//! or hang until somebody kills it, would do so at every start; after three such starts it is not opened again. An
//! opening that returned came back, whatever it returned: a full disk throws no history away.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::disk::absent_is_fine;

/// Openings without an end, after which a database is set aside unread.
pub(super) const PATIENCE: u8 = 3;

/// A small file that is there while a database is being opened.
pub(super) struct Sentinel(PathBuf);

impl Sentinel {
    pub(super) fn new(home: &Path) -> Self {
        Self(home.join("opening"))
    }

    /// Openings so far that never ended. A file that says nothing sensible counts as one.
    pub(super) fn unfinished(&self) -> io::Result<u8> {
        match fs::read_to_string(&self.0) {
            Ok(text) => Ok(text.trim().parse().unwrap_or(1)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(1),
            Err(error) => Err(error),
        }
    }

    pub(super) fn begin(&self, unfinished: u8) -> io::Result<()> {
        fs::write(&self.0, unfinished.saturating_add(1).to_string())
    }

    pub(super) fn end(&self) -> io::Result<()> {
        absent_is_fine(fs::remove_file(&self.0))
    }
}
