//! The heart: [`Issuer::handle`] takes the time and a request and gives the answer, over the rules and their store. The
//! listeners put sockets around it; tests may call it without any.
//!
//! A request is routed by the table of [`Operation`]s, bounded, authenticated, read strictly, and given to one rule in one
//! transaction. A refusal is a problem document (RFC 9457); whatever panics on the way is answered `internal`. Answers are
//! 200, but 202 for an SMS code that is on its way and 304 for a service document the caller has.

mod answer;
mod body;
mod dispatch;
mod events;
mod faulty;
mod newer;
mod record;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::HOST;
use http::{Request, Response};
use saifu_wire::{Listener, Millis, Name, Operation, Problem, ProblemCode, headers};
use tokio::sync::watch;

use crate::auth::{Access, Auth, Caller, ProvenRequest, access};
use crate::clock::Clock;
use crate::faults::{Cut, Faults};
use crate::files::Folder;
use crate::log::{self, Log};
use crate::rules::{Cx, Notes, Refused, Rules, due};
use crate::service::Service;

use answer::{Answer, Content};
use events::Watchers;
pub(crate) use events::{Subscription, stream};
pub(crate) use faulty::knows_caller;
use record::Record;

/// The longest body, in bytes.
pub const MAX_BODY: usize = 16 * 1024;
/// Where the API document lies, on the customers' listener.
const OPENAPI_PATH: &str = "/openapi.json";

/// The addresses that callers know, without a slash at the end. Proofs name them.
#[derive(Debug, Clone)]
pub(crate) struct Origins {
    /// Customers': the machine's own first, then those that phones and emulators know.
    pub(crate) customer: Vec<String>,
    /// Registers', ATMs' and operators'.
    pub(crate) register: String,
}

impl Origins {
    /// The customers' address that a request was sent to; one that is none of ours was meant for the first.
    fn customer_of(&self, request: &Request<Bytes>) -> &str {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let host = request.uri().authority().map(http::uri::Authority::as_str).or(host).unwrap_or_default();
        let named = self.customer.iter().find(|origin| origin.strip_prefix("https://") == Some(host));
        named.or(self.customer.first()).map_or("", String::as_str)
    }
}

/// The issuer. Everything it decides follows from its store, its keys, the time it is given and its source of chance.
pub struct Issuer {
    pub(crate) rules: Rules,
    pub(crate) clock: Clock,
    /// What quality assurance may read.
    pub(crate) log: Log,
    pub(crate) faults: Faults,
    auth: Auth,
    service: Service,
    origins: Origins,
    watchers: Watchers,
    /// Tells event streams to end.
    closing: watch::Sender<bool>,
    /// How many requests it named: the trace of whoever brings none.
    unnamed: AtomicU64,
    /// Held for as long as anything may still write to its files.
    pub(crate) folder: Folder,
}

/// A request on its way through.
#[derive(Clone)]
struct Call {
    now: Millis,
    trace: String,
    operation: Operation,
    caller: Caller,
    request: Request<Bytes>,
}

impl Issuer {
    pub(crate) fn new(
        rules: Rules,
        clock: Clock,
        faults: Faults,
        service: Service,
        origins: Origins,
        folder: Folder,
    ) -> Result<Self, saifu_crypto::CryptoError> {
        Ok(Self {
            rules,
            clock,
            log: Log::default(),
            faults,
            auth: Auth::new()?,
            service,
            origins,
            watchers: Watchers::default(),
            closing: watch::Sender::new(false),
            unnamed: AtomicU64::new(1),
            folder,
        })
    }

    /// The issuer's time now.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Answers one request. It never fails: what goes wrong is an answer too, and where a fault cuts the connection the
    /// response carries [`Cut`]. The stream of events ends here after the
    /// events that there are; over a socket it goes on.
    pub async fn handle(&self, now: Millis, listener: Listener, request: Request<Bytes>) -> Response<Bytes> {
        let (response, subscription) = self.respond(now, listener, request).await;
        match subscription {
            None => response,
            Some(mut subscription) => {
                let (parts, _) = response.into_parts();
                let batch = self.next_events(now, &mut subscription).await;
                Response::from_parts(parts, batch.ok().flatten().unwrap_or_default())
            }
        }
    }

    /// Answers one request; a stream of events is handed out to be followed.
    pub(crate) async fn respond(
        &self,
        now: Millis,
        listener: Listener,
        request: Request<Bytes>,
    ) -> (Response<Bytes>, Option<Subscription>) {
        let started = Instant::now();
        let trace = self.trace(&request);
        let mut record = Record::new(listener);
        let outcome = unpanicked(self.answer(now, listener, request, &trace, &mut record)).await;
        let code = outcome.as_ref().err().and_then(|problem| problem.code.known());
        let notes = record.notes(outcome.as_ref().err());
        let mut answer = outcome.unwrap_or_else(|problem| Answer::refusal(&problem, record.allow));
        if record.newer {
            newer::rewrite(&mut answer, &self.service);
        }
        let (mut response, subscription) = match answer.content {
            Content::Whole(bytes) => (Response::new(bytes), None),
            Content::Events(subscription) => (Response::new(Bytes::new()), Some(subscription)),
            Content::Nothing => {
                let mut response = Response::new(Bytes::new());
                response.extensions_mut().insert(Cut);
                (response, None)
            }
        };
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        let now = record.held_until.unwrap_or(now);
        answer::stamp(response.headers_mut(), now, &trace);
        if listener != Listener::Service {
            answer::set(response.headers_mut(), headers::DPOP_NONCE, &self.auth.nonce(now));
        }
        record.write(&trace, &notes, answer.status, code, started.elapsed());
        let (operation, status) = (record.operation.map_or("none", Operation::name), answer.status.as_u16());
        self.log.asked(log::LoggedRequest { at: now, trace: &trace, operation, status, code, notes });
        (response, subscription)
    }

    async fn answer(
        &self,
        now: Millis,
        listener: Listener,
        request: Request<Bytes>,
        trace: &str,
        record: &mut Record,
    ) -> Result<Answer, Problem> {
        let (method, path) = (request.method().as_str(), request.uri().path());
        if listener == Listener::Customer && path == OPENAPI_PATH && method == "GET" {
            return Ok(Answer::document(crate::openapi::text()));
        }
        let operation = Operation::find(listener, method, path).map_err(|known| {
            record.allow = if known { allowed(listener, path) } else { None };
            if known { ProblemCode::MethodNotAllowed } else { ProblemCode::NotFound }
        })?;
        record.operation = Some(operation);
        body::check(operation, &request)?;
        let caller = self.authenticate(now, operation, &request, record)?;
        faulty::run(self, Call { now, trace: trace.into(), operation, caller, request }, record).await
    }

    fn authenticate(
        &self,
        now: Millis,
        operation: Operation,
        request: &Request<Bytes>,
        record: &mut Record,
    ) -> Result<Caller, Problem> {
        let origin = match operation.listener() {
            Listener::Customer => self.origins.customer_of(request),
            Listener::Register => self.origins.register.as_str(),
            Listener::Service => "",
        };
        let uri = format!("{origin}{}", operation.path());
        let asked = ProvenRequest { operation, uri: &uri, headers: request.headers(), body: request.body() };
        let caller = self.auth.check(now, &asked).map_err(|denied| {
            record.why = Some(denied.why);
            denied.problem()
        })?;
        if let Caller::Customer { binding, .. } = &caller {
            (record.notes.account, record.notes.device) = (Some(binding.account), Some(binding.device));
        }
        Ok(caller)
    }

    /// Runs a rule that may write, and wakes whoever follows the accounts it touched.
    pub(crate) async fn write<T, F>(&self, now: Millis, trace: &str, rule: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Cx<'_>) -> Result<T, Refused> + Send + 'static,
    {
        self.write_told(now, trace, rule).await.0
    }

    /// The same, with what the rule told beside its answer. What ended by itself goes into the log before it.
    async fn write_told<T, F>(&self, now: Millis, trace: &str, rule: F) -> (Result<T, Problem>, Notes)
    where
        T: Send + 'static,
        F: FnOnce(&Cx<'_>) -> Result<T, Refused> + Send + 'static,
    {
        let answered = self.rules.write(now, trace, rule).await;
        for account in &answered.touched {
            self.watchers.wake(*account);
        }
        if !answered.notes.ended.is_empty() {
            self.log.ended(now, trace, &answered.notes.ended);
        }
        (answered.result, answered.notes)
    }

    /// Lets everything end that is due by now, and names it. What ends may make something else due.
    pub(crate) async fn run_due(&self, now: Millis) -> Result<Vec<due::Done>, Problem> {
        /// Far more rounds than any chain of things that end.
        const ROUNDS: usize = 10_000;
        let mut ran = Vec::new();
        for _ in 0..ROUNDS {
            let done = self.write(now, "due", due::run).await?;
            if done.is_empty() {
                return Ok(ran);
            }
            ran.extend(done);
        }
        tracing::error!("what is due does not come to an end");
        Err(ProblemCode::Internal.into())
    }

    /// What has to be done every second.
    pub(crate) async fn tick(&self) {
        let now = self.clock.now();
        self.auth.sweep(now);
        if let Err(problem) = self.run_due(now).await {
            tracing::warn!(code = problem.code.as_str(), "what is due could not be done");
        }
    }

    /// Ends all streams of events.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Lets all streams of events look at the clock.
    pub(crate) fn wake_all(&self) {
        self.watchers.wake_all();
    }

    fn trace(&self, request: &Request<Bytes>) -> String {
        let brought = request.headers().get(headers::TRACE).and_then(|value| value.to_str().ok());
        match brought.map(Name::new) {
            Some(Ok(name)) => name.as_str().into(),
            _ => format!("issuer-{}-{}", self.folder.starts, self.unnamed.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

/// A panic on the way to an answer becomes one. What it said stays out of the answer; the panic hook has printed it.
async fn unpanicked(answer: impl Future<Output = Result<Answer, Problem>>) -> Result<Answer, Problem> {
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("a handler panicked");
        Err(ProblemCode::Internal.into())
    })
}

/// The methods that a path takes.
fn allowed(listener: Listener, path: &str) -> Option<&'static str> {
    Operation::ALL.iter().find(|known| known.listener() == listener && known.path() == path).map(|known| known.method())
}

/// A shared issuer, as the listeners hold it.
pub(crate) type Shared = Arc<Issuer>;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn panic_on_the_way_is_answered_internal() {
        let problem = unpanicked(async { panic!("secret") }).await.err().unwrap();
        assert_eq!((problem.code.known(), problem.detail), (Some(ProblemCode::Internal), None));
        let fine = unpanicked(async { Ok(Answer::document("{}".into())) }).await;
        assert!(fine.is_ok_and(|answer| answer.status == 200));
    }
}
