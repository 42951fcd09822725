use std::time::Duration;

use saifu_wire::messages::SessionRequest;
use saifu_wire::{Operation, Problem};

use super::answer::Answer;
use super::record::Record;
use super::{Access, Call, Caller, Issuer, access, body, dispatch};
use crate::faults::{Act, REORDER_MS};
use crate::rules::terminal;

/// As a proxy in between might say it, though with the issuer's media type.
const GARBAGE: &str = "<!doctype html><title>Welcome</title>";
/// Every answer needs a field that is not here.
const NONSENSE: &str = r#"{"nonsense":true}"#;

/// Whether a fault on this operation can tell its callers apart.
pub(crate) fn knows_caller(operation: Operation) -> bool {
    match access(operation) {
        Access::Token | Access::Terminal(_) => true,
        Access::Key => operation == Operation::Session,
        Access::Open | Access::Session => false,
    }
}

/// Gives a request to its rule, unless a fault comes in between.
pub(super) async fn run(issuer: &Issuer, call: Call, record: &mut Record) -> Result<Answer, Problem> {
    let names = match issuer.faults.awaits(call.operation) {
        None => return handle(issuer, call, record).await,
        Some(false) => Vec::new(),
        Some(true) => names(issuer, &call).await,
    };
    match issuer.faults.strike(call.operation, &names) {
        None => handle(issuer, call, record).await,
        Some(act) => {
            tracing::info!(trace = call.trace, operation = call.operation.name(), fault = %act, "a fault strikes");
            strike(issuer, act, call, record).await
        }
    }
}

async fn handle(issuer: &Issuer, call: Call, record: &mut Record) -> Result<Answer, Problem> {
    let answer = dispatch::run(issuer, call, record).await;
    issuer.faults.handled();
    answer
}

async fn strike(issuer: &Issuer, act: Act, call: Call, record: &mut Record) -> Result<Answer, Problem> {
    match act {
        Act::DropRequest => Ok(Answer::cut()),
        Act::DropAnswer => {
            // Whatever came of it, nobody hears.
            let _ = handle(issuer, call, record).await;
            Ok(Answer::cut())
        }
        Act::Duplicate => {
            let _ = handle(issuer, call.clone(), record).await;
            handle(issuer, call, record).await
        }
        Act::Delay(ms) => {
            hold(issuer, tokio::time::sleep(Duration::from_millis(ms))).await;
            late(issuer, call, record).await
        }
        Act::Reorder => {
            let mut next = issuer.faults.next_handled();
            hold(issuer, tokio::time::timeout(Duration::from_millis(REORDER_MS), next.changed())).await;
            late(issuer, call, record).await
        }
        Act::Status(status) => Ok(Answer::bare(status)),
        Act::Garbage => Ok(Answer::document(GARBAGE.into())),
        Act::Nonsense => Ok(Answer::document(NONSENSE.into())),
        Act::Newer => {
            record.newer = true;
            handle(issuer, call, record).await
        }
        Act::Hang => Ok(hang(issuer).await),
        Act::HangAfter => {
            let _ = handle(issuer, call, record).await;
            Ok(hang(issuer).await)
        }
        Act::KillIssuer => {
            issuer.faults.die();
            Ok(Answer::cut())
        }
        Act::KillIssuerAfter => {
            let _ = handle(issuer, call, record).await;
            issuer.faults.die();
            Ok(Answer::cut())
        }
    }
}

/// Nothing is answered for as long as the issuer lives.
async fn hang(issuer: &Issuer) -> Answer {
    hold(issuer, std::future::pending::<()>()).await;
    Answer::cut()
}

/// Waits; not longer than the issuer lives.
async fn hold<T>(issuer: &Issuer, wait: impl Future<Output = T>) {
    let _held = issuer.faults.hold();
    let mut closing = issuer.closing.subscribe();
    tokio::select! {
        _ = wait => {}
        // The watch being gone means the same.
        _ = closing.wait_for(|closing| *closing) => {}
    }
}

/// Handles a request that was held, at the time that it is now.
async fn late(issuer: &Issuer, mut call: Call, record: &mut Record) -> Result<Answer, Problem> {
    call.now = call.now.max(issuer.clock.now());
    record.held_until = Some(call.now);
    handle(issuer, call, record).await
}

/// What a fault may call this caller. Who is behind a key is the rules' business; here it only has to be found.
async fn names(issuer: &Issuer, call: &Call) -> Vec<String> {
    match &call.caller {
        Caller::Customer { binding, .. } => vec![binding.account.to_string(), binding.device.to_string()],
        Caller::Key { thumbprint, .. } if call.operation != Operation::Session => {
            let thumbprint = thumbprint.clone();
            let found = issuer.rules.read(call.now, &call.trace, move |cx| terminal::by_key(cx, &thumbprint)).await;
            found.ok().flatten().map(|terminal| terminal.name.to_string()).into_iter().collect()
        }
        Caller::Key { .. } => match body::read::<SessionRequest>(call.request.body()) {
            Ok(request) => vec![request.account.to_string(), request.device.to_string()],
            Err(_) => Vec::new(),
        },
        Caller::Anyone => Vec::new(),
    }
}
