use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Params, Row};
use saifu_crypto::{CryptoError, Random};
use saifu_wire::{AccountId, Millis, Problem, ProblemCode};
use uuid::Uuid;

use super::{Notes, Secrets, decision};
use crate::policy::Policy;
use crate::store::{Store, StoreError};

/// Why a rule did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Refused; nothing of what the rule wrote stays.
    Undo(Box<Problem>),
    /// Refused; what the rule wrote stays: a try counter, a notice to the owner.
    Keep(Box<Problem>),
}

impl Refused {
    /// A refusal that keeps what the rule wrote.
    #[must_use]
    pub fn keep(problem: impl Into<Problem>) -> Self {
        Self::Keep(Box::new(problem.into()))
    }

    /// The refusal itself.
    #[must_use]
    pub fn problem(self) -> Problem {
        match self {
            Self::Undo(problem) | Self::Keep(problem) => *problem,
        }
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Undo(Box::new(problem))
    }
}

impl From<ProblemCode> for Refused {
    fn from(code: ProblemCode) -> Self {
        Self::Undo(Box::new(code.into()))
    }
}

macro_rules! internal {
    ($($error:ty),*) => {$(
        impl From<$error> for Refused {
            fn from(error: $error) -> Self {
                tracing::error!(%error, "a rule failed");
                ProblemCode::Internal.into()
            }
        }
    )*};
}
internal!(rusqlite::Error, CryptoError, serde_json::Error, std::num::TryFromIntError);

/// What a rule works with.
pub struct Cx<'a> {
    /// The database; in a write, inside this rule's own savepoint.
    pub conn: &'a Connection,
    /// The issuer's time.
    pub now: Millis,
    /// The numbers.
    pub policy: &'a Policy,
    /// The keys outside the database.
    pub secrets: &'a Secrets,
    /// The source of chance.
    pub random: &'a dyn Random,
    /// The trace id of the request, 1–64 name characters.
    pub trace: &'a str,
    /// Accounts that got new events; their streams are woken after the commit.
    pub touched: RefCell<Vec<AccountId>>,
    /// What the rule tells beside its answer.
    pub notes: RefCell<Notes>,
}

impl Cx<'_> {
    /// The issuer's time as the database stores it.
    pub(crate) fn ms(&self) -> i64 {
        ms(self.now)
    }

    /// How many rows a statement changes.
    pub(crate) fn run(&self, sql: &str, params: impl Params) -> rusqlite::Result<usize> {
        self.conn.prepare_cached(sql)?.execute(params)
    }

    /// The one row of a statement.
    pub(crate) fn row<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.conn.prepare_cached(sql)?.query_row(params, read)
    }

    /// The row of a statement, if there is one.
    pub(crate) fn find<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        self.row(sql, params, read).optional()
    }

    /// `N` random bytes.
    pub(crate) fn draw<const N: usize>(&self) -> Result<[u8; N], CryptoError> {
        let mut out = [0; N];
        self.random.fill(&mut out)?;
        Ok(out)
    }

    /// A random id that says nothing (UUIDv4).
    pub(crate) fn new_id(&self) -> Result<Uuid, CryptoError> {
        Ok(uuid::Builder::from_random_bytes(self.draw()?).into_uuid())
    }

    /// An id that rises with time (UUIDv7), for rows that are written in order.
    pub(crate) fn new_timed_id(&self) -> Result<Uuid, CryptoError> {
        Ok(uuid::Builder::from_unix_timestamp_millis(self.now.0, &self.draw()?).into_uuid())
    }
}

/// Milliseconds as the database stores them.
pub(crate) fn ms(at: Millis) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

/// Milliseconds as a figure of a rule.
pub(crate) fn figure(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// Milliseconds as the database stored them.
pub(crate) fn millis(ms: i64) -> Millis {
    Millis(u64::try_from(ms).unwrap_or(0))
}

/// What a rule answered, and whose event streams have news.
#[derive(Debug)]
pub struct Answered<T> {
    /// The answer or the refusal.
    pub result: Result<T, Problem>,
    /// Accounts with new events, whatever the result.
    pub touched: Vec<AccountId>,
    /// What it told beside its answer.
    pub notes: Notes,
}

struct Inner {
    store: Store,
    policy: Policy,
    secrets: Secrets,
    random: Arc<dyn Random>,
    latest: AtomicU64,
}

/// The door to the rules: brings store, policy, keys and chance together, so that a caller gives only time and request.
/// Cheap to clone.
///
/// ```no_run
/// # async fn example(rules: saifu_sandbox::rules::Rules, binding: saifu_sandbox::rules::Binding) {
/// use saifu_sandbox::rules::top_up;
/// let answered = rules.write(saifu_wire::Millis(1_800_000_000_000), "trace-1", move |cx| top_up::nonce(cx, binding)).await;
/// # }
/// ```
#[derive(Clone)]
pub struct Rules(Arc<Inner>);

impl Rules {
    /// Over an open store. The issuer's time goes on from the latest that the store has seen.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn new(store: Store, policy: Policy, secrets: Secrets, random: Arc<dyn Random>) -> Result<Self, StoreError> {
        let latest = AtomicU64::new(store.latest()?);
        Ok(Self(Arc::new(Inner { store, policy, secrets, random, latest })))
    }

    /// The numbers.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Writes a copy of this moment's database to a new file.
    ///
    /// # Errors
    /// `internal`.
    pub(crate) async fn copy_database(&self, to: std::path::PathBuf) -> Result<(), Problem> {
        self.0.store.copy_to(to).await
    }

    /// Runs a rule that may write; answers after its commit is on disk.
    pub async fn write<T, F>(&self, now: Millis, trace: &str, rule: F) -> Answered<T>
    where
        T: Send + 'static,
        F: FnOnce(&Cx<'_>) -> Result<T, Refused> + Send + 'static,
    {
        let (inner, named) = (Arc::clone(&self.0), trace.to_owned());
        // What an undone rule told is told all the same.
        let told = Arc::new(Mutex::new(Notes::default()));
        let telling = Arc::clone(&told);
        let outcome = self
            .0
            .store
            .write(move |conn| {
                // Requests may queue in another order than they read the clock; a clock that went back widens nothing.
                let now = Millis(inner.latest.fetch_max(now.0, Ordering::Relaxed).max(now.0));
                let cx = inner.context(conn, now, &named);
                let result = rule(&cx);
                let (touched, mut notes) = (cx.touched.into_inner(), cx.notes.into_inner());
                if let Err(Refused::Undo(problem) | Refused::Keep(problem)) = &result {
                    notes.refused(problem);
                }
                let kept = match &result {
                    Ok(_) => decision::keep(conn, now, &named, &notes, None),
                    Err(Refused::Keep(problem)) => decision::keep(conn, now, &named, &notes, Some(problem)),
                    Err(Refused::Undo(_)) => Ok(()),
                };
                *telling.lock().unwrap_or_else(PoisonError::into_inner) = notes;
                kept?;
                match result {
                    Ok(answer) => Ok((Ok(answer), touched)),
                    Err(Refused::Keep(problem)) => Ok((Err(*problem), touched)),
                    Err(undo) => Err(undo),
                }
            })
            .await;
        let mut notes = std::mem::take(&mut *told.lock().unwrap_or_else(PoisonError::into_inner));
        match outcome {
            Ok((result, touched)) => Answered { result, touched, notes },
            Err(problem) => {
                notes.undone();
                self.keep_refusal(now, trace, &notes, &problem).await;
                Answered { result: Err(problem), touched: Vec::new(), notes }
            }
        }
    }

    /// What an undone try was refused for, for `explain`. The answer does not depend on it.
    async fn keep_refusal(&self, now: Millis, trace: &str, notes: &Notes, problem: &Problem) {
        if notes.what.is_none() || notes.repeat {
            return;
        }
        let (trace, notes, problem) = (trace.to_owned(), notes.clone(), problem.clone());
        let kept = self.0.store.write(move |conn| decision::keep(conn, now, &trace, &notes, Some(&problem)));
        if let Err(problem) = kept.await {
            tracing::warn!(code = problem.code.as_str(), "a refusal could not be kept for explain");
        }
    }

    /// Runs a rule that only reads: [`account::home`](super::account::home), history, events, switches, terminals, SMS.
    ///
    /// # Errors
    /// The rule's refusal.
    pub async fn read<T, F>(&self, now: Millis, trace: &str, rule: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Cx<'_>) -> Result<T, Refused> + Send + 'static,
    {
        let (inner, trace) = (Arc::clone(&self.0), trace.to_owned());
        self.0
            .store
            .read(move |conn| {
                let now = Millis(inner.latest.load(Ordering::Relaxed).max(now.0));
                rule(&inner.context(conn, now, &trace))
            })
            .await
    }
}

impl Inner {
    fn context<'a>(&'a self, conn: &'a Connection, now: Millis, trace: &'a str) -> Cx<'a> {
        Cx {
            conn,
            now,
            policy: &self.policy,
            secrets: &self.secrets,
            random: &*self.random,
            trace,
            touched: RefCell::default(),
            notes: RefCell::default(),
        }
    }
}
