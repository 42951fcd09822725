//! The issuer's database: one SQLite file, one writer with group commit. The rules run as jobs on it; the listeners never
//! touch it but through [`Rules`](crate::rules::Rules).
//!
//! *Durability.* WAL with `synchronous=FULL`: a job is answered only after the commit that carries it is on disk. Up to
//! 256 queued jobs share one commit, each in a savepoint of its own, so one refusal undoes one job and one `fsync`
//! serves them all. A job that panics is undone and answered `internal`; a commit that fails answers all its jobs so.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::HEXLOWER;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use saifu_crypto::{Random as _, SystemRandom};
use saifu_wire::{Problem, ProblemCode};
use tokio::sync::{mpsc, oneshot};

use crate::rules::Refused;

const SCHEMA: &str = include_str!("store/schema.sql");
/// Rises with every change of `schema.sql`.
const SCHEMA_VERSION: i64 = 4;
/// "Saif", so that a foreign SQLite file is told from ours.
const APPLICATION_ID: i64 = 0x5361_6966;
/// Jobs that share one commit at most.
const BATCH: usize = 256;
/// Jobs that may wait; beyond them callers are told to come back.
const QUEUE: usize = 4_096;
const OVERLOAD_RETRY_MS: u64 = 1_000;
const WRITER_CACHE_KIB: i64 = 65_536;
const READERS_KEPT: usize = 4;
const STATEMENTS_KEPT: usize = 256;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Written by another version.
    #[error(
        "{path} has schema version {found}, this sandbox writes {SCHEMA_VERSION}: start with --reset, or use the version that wrote it"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// Not ours.
    #[error("{0} is not a database of the sandbox: choose another data folder")]
    Foreign(PathBuf),
    /// There is no randomness.
    #[error(transparent)]
    Chance(#[from] saifu_crypto::CryptoError),
    /// SQLite failed.
    #[error("the database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// The writer could not be started.
    #[error("the writer thread did not start: {0}")]
    Thread(#[from] std::io::Error),
}

/// Tells a waiting caller whether the commit succeeded.
type Answer = Box<dyn FnOnce(bool) + Send>;
type Job = Box<dyn FnOnce(&Connection) -> Answer + Send>;

struct Inner {
    path: PathBuf,
    /// `None` only while the last handle is being dropped.
    queue: Option<mpsc::Sender<Job>>,
    writer: Option<std::thread::JoinHandle<()>>,
    readers: Mutex<Vec<Connection>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing left to say.
            let _ = writer.join();
        }
    }
}

/// A handle on the database; cheap to clone. Dropping the last one waits for the writer to finish.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

impl Store {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// [`StoreError`], which says what to do.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_path_buf();
        let conn = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        conn.pragma_update(None, "journal_mode", "WAL")?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        // A savepoint keeps the pages it may have to bring back; in a file they would cost more than the writes themselves.
        conn.pragma_update(None, "temp_store", "MEMORY")?;
        conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        prepare(&conn, &path)?;
        begin_era(&conn)?;
        let (queue, jobs) = mpsc::channel(QUEUE);
        let writer = std::thread::Builder::new().name("saifu-store".into()).spawn(move || write_all(&conn, jobs))?;
        Ok(Self(Arc::new(Inner { path, queue: Some(queue), writer: Some(writer), readers: Mutex::default() })))
    }

    /// Runs a job in a transaction; answers when it is on disk.
    ///
    /// # Errors
    /// The job's refusal; `overloaded` when too many wait; `internal` when it panicked or the commit failed.
    pub async fn write<T, F>(&self, job: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Refused> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |conn| {
            let result = in_savepoint(conn, job);
            Box::new(move |committed| {
                let result = if committed { result } else { Err(ProblemCode::Internal.into()) };
                // A caller that went away does not undo what was committed.
                let _ = tell.send(result);
            })
        });
        let queue = self.0.queue.as_ref().ok_or(ProblemCode::Internal)?;
        queue.try_send(job).map_err(|_| Problem::new(ProblemCode::Overloaded).retry_after(OVERLOAD_RETRY_MS))?;
        told.await.unwrap_or_else(|_| Err(ProblemCode::Internal.into()))
    }

    /// Runs a job that only reads, beside the writer. It sees every write that was answered before.
    ///
    /// # Errors
    /// The job's refusal; `internal` when it panicked or tried to write.
    pub async fn read<T, F>(&self, job: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Refused> + Send + 'static,
    {
        let inner = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || {
            let conn = inner.reader()?;
            // One transaction, so that several look-ups of a job see one state.
            let transaction = conn.unchecked_transaction()?;
            let result = job(&transaction);
            transaction.finish()?;
            inner.readers().push(conn);
            inner.readers().truncate(READERS_KEPT);
            result
        });
        done.await.unwrap_or_else(|_| Err(ProblemCode::Internal.into())).map_err(Refused::problem)
    }

    /// Writes a copy of this moment's database to a new file.
    ///
    /// # Errors
    /// `internal`.
    pub(crate) async fn copy_to(&self, to: PathBuf) -> Result<(), Problem> {
        let path = self.0.path.clone();
        let done = tokio::task::spawn_blocking(move || {
            // One that a kill left behind.
            let _ = std::fs::remove_file(&to);
            let conn = connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            // As bytes: a path need not be UTF-8.
            conn.execute("VACUUM INTO CAST(?1 AS TEXT)", [to.as_os_str().as_encoded_bytes()])?;
            // Whoever starts from the copy goes another way.
            connect(&to, OpenFlags::SQLITE_OPEN_READ_WRITE)?.execute("DELETE FROM era", [])?;
            Ok::<_, Refused>(())
        });
        done.await.unwrap_or_else(|_| Err(ProblemCode::Internal.into())).map_err(Refused::problem)
    }

    /// The latest time that was written, in milliseconds since 1970.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn latest(&self) -> Result<u64, StoreError> {
        let conn = self.0.reader()?;
        let latest: i64 = conn.query_row(
            "SELECT max(ifnull((SELECT at FROM posting ORDER BY id DESC LIMIT 1), 0), (SELECT latest FROM clock))",
            [],
            |row| row.get(0),
        )?;
        Ok(u64::try_from(latest).unwrap_or(0))
    }
}

impl Inner {
    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(&self) -> Result<Connection, rusqlite::Error> {
        if let Some(conn) = self.readers().pop() {
            return Ok(conn);
        }
        connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)
    }
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, rusqlite::Error> {
    let conn = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.pragma_update(None, "foreign_keys", true)?;
    // Plans stay as they are: without this SQLite plans some statements anew for each parameter, a third of a payment's time.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(conn)
}

fn prepare(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let read = |name: &str| conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        conn.execute_batch(&format!(
            "BEGIN IMMEDIATE; {SCHEMA}; PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={SCHEMA_VERSION}; COMMIT;"
        ))?;
        return Ok(());
    }
    if read("application_id")? != APPLICATION_ID {
        return Err(StoreError::Foreign(path.to_path_buf()));
    }
    match read("user_version")? {
        SCHEMA_VERSION => Ok(()),
        found => Err(StoreError::Version { path: path.to_path_buf(), found }),
    }
}

/// A new file and a copy of one begin an era. It comes from the machine whatever the sandbox's seed: two lives that began alike
/// must not be taken for one.
fn begin_era(conn: &Connection) -> Result<(), StoreError> {
    let id = HEXLOWER.encode(&SystemRandom.bytes::<16>()?);
    conn.execute("INSERT INTO era VALUES (1, ?) ON CONFLICT DO NOTHING", [id])?;
    Ok(())
}

/// The writer: takes what waits, commits it once, answers.
fn write_all(conn: &Connection, mut jobs: mpsc::Receiver<Job>) {
    while let Some(first) = jobs.blocking_recv() {
        let mut answers = Vec::with_capacity(BATCH);
        let committed = match write_batch(conn, first, &mut jobs, &mut answers) {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "a commit failed");
                if !conn.is_autocommit() {
                    let _ = conn.execute_batch("ROLLBACK");
                }
                false
            }
        };
        for answer in answers {
            answer(committed);
        }
    }
}

fn write_batch(
    conn: &Connection,
    first: Job,
    jobs: &mut mpsc::Receiver<Job>,
    answers: &mut Vec<Answer>,
) -> Result<(), rusqlite::Error> {
    conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let mut next = Some(first);
    while let Some(job) = next {
        answers.push(job(conn));
        if conn.is_autocommit() {
            // SQLite gave the whole transaction up (a full disk): what came before in this batch is gone too.
            return Err(rusqlite::Error::ExecuteReturnedResults);
        }
        next = if answers.len() < BATCH { jobs.try_recv().ok() } else { None };
    }
    conn.prepare_cached("COMMIT")?.execute([])?;
    Ok(())
}

fn in_savepoint<T>(conn: &Connection, job: impl FnOnce(&Connection) -> Result<T, Refused>) -> Result<T, Problem> {
    let run = |sql: &str| conn.prepare_cached(sql)?.execute([]).map(drop);
    if let Err(error) = run("SAVEPOINT job") {
        return Err(Refused::from(error).problem());
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| job(conn))).unwrap_or_else(|_| {
        tracing::error!("a rule panicked");
        Err(ProblemCode::Internal.into())
    });
    let undone = if matches!(outcome, Err(Refused::Undo(_))) { run("ROLLBACK TO job") } else { Ok(()) };
    if let Err(error) = undone.and_then(|()| run("RELEASE job")) {
        // What this job wrote can no longer be told from the rest: the whole batch is given up.
        let _ = conn.execute_batch("ROLLBACK");
        return Err(Refused::from(error).problem());
    }
    outcome.map_err(Refused::problem)
}
