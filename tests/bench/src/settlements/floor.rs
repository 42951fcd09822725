//! What the disk and SQLite allow without an issuer: rows, each committed by itself, with the issuer's settings.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::figures::FLOOR;
use crate::Result;
use crate::slice::{Slice, Stopwatch};

/// For how long.
const TIME: Duration = Duration::from_secs(3);
/// About as much as one posting takes.
const ROW_BYTES: usize = 200;

/// Inserts rows for some seconds.
pub(super) fn insert(folder: &Path) -> Result<Slice> {
    let folder = folder.join("floor");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let conn = Connection::open(folder.join("floor.db"))?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.execute_batch("CREATE TABLE line (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")?;
    let mut insert = conn.prepare("INSERT INTO line (body) VALUES (?)")?;
    let (watch, mut pieces) = (Stopwatch::start(), Vec::new());
    while watch.elapsed() < TIME {
        let at = Instant::now();
        insert.execute([[0x5a_u8; ROW_BYTES]])?;
        pieces.push(at.elapsed());
    }
    Ok(watch.stop(FLOOR).fill(pieces))
}
