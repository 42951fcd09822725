use http::{StatusCode, header};
use saifu_wire::messages::{SessionAnswer, SessionRequest, TerminalKind, TokenAnswer, TokenRequest};
use saifu_wire::signed::Binding;
use saifu_wire::{IntentKey, Operation, Problem, ProblemCode, headers};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answer::Answer;
use super::record::Record;
use super::{Access, Call, Caller, Issuer, access, body};
use crate::rules::{
    Cx, Refused, Terminal, account, activation, atm, code, events, operator, session, settle, sign_up, terminal, top_up,
};

/// A rule of somebody who has a key and nothing else yet.
type OfKey<R, T> = fn(&Cx<'_>, &R, &str) -> Result<T, Refused>;
/// A rule of a customer.
type OfCustomer<R, T> = fn(&Cx<'_>, Binding, &R) -> Result<T, Refused>;
/// A rule of a register, an ATM or an operator.
type OfTerminal<R, T> = fn(&Cx<'_>, &Terminal, &R) -> Result<T, Refused>;

/// Gives a request to its rule.
pub(super) async fn run(issuer: &Issuer, call: Call, record: &mut Record) -> Result<Answer, Problem> {
    match call.operation {
        Operation::SignUp => {
            key(issuer, call, record, sign_up::begin).await.map(|answer| answer.status(StatusCode::ACCEPTED))
        }
        Operation::SignUpConfirm => key(issuer, call, record, sign_up::confirm).await,
        Operation::Session => open_session(issuer, call, record).await,
        Operation::Token => renew_token(issuer, &call),
        Operation::Activation => customer(issuer, call, record, activation::begin).await,
        Operation::ActivationConfirm => customer(issuer, call, record, activation::confirm).await,
        Operation::Home => reading(issuer, &call, account::home).await,
        Operation::History => {
            let query = body::read_query(call.request.uri());
            reading(issuer, &call, move |cx, binding| account::history(cx, binding, query?)).await
        }
        Operation::Events => follow(issuer, call).await,
        Operation::IntentNonce => {
            let rule: OfCustomer<saifu_wire::messages::IntentNonceRequest, _> =
                |cx, binding, _| top_up::nonce(cx, binding);
            customer(issuer, call, record, rule).await
        }
        Operation::IntentResolve => customer(issuer, call, record, top_up::resolve).await,
        Operation::TopUp => {
            let intent = intent_key(&call)?;
            customer(issuer, call, record, move |cx, binding, request| top_up::request(cx, binding, intent, request))
                .await
        }
        Operation::Code => customer(issuer, call, record, code::issue).await,
        Operation::Settle => at_terminal(issuer, call, record, settle::settle).await,
        Operation::SettleVoid => at_terminal(issuer, call, record, settle::void).await,
        Operation::Refund => at_terminal(issuer, call, record, settle::refund).await,
        Operation::AtmAuthorize => at_terminal(issuer, call, record, atm::authorize).await,
        Operation::AtmDeposit => at_terminal(issuer, call, record, atm::deposit).await,
        Operation::TerminalEnrol => at_terminal(issuer, call, record, operator::enrol).await,
        Operation::SwitchSet => at_terminal(issuer, call, record, operator::set_switch).await,
        Operation::ServiceDocument => service_document(issuer, &call).await,
    }
}

async fn key<R, T>(issuer: &Issuer, call: Call, record: &mut Record, rule: OfKey<R, T>) -> Result<Answer, Problem>
where
    R: DeserializeOwned + Send + 'static,
    T: Serialize + Send + 'static,
{
    let Caller::Key { thumbprint, .. } = call.caller else { return Err(ProblemCode::Internal.into()) };
    let request: R = body::read(call.request.body())?;
    let (answer, notes) = issuer.write_told(call.now, &call.trace, move |cx| rule(cx, &request, &thumbprint)).await;
    record.told(notes);
    Answer::json(&answer?)
}

async fn customer<R, T, F>(issuer: &Issuer, call: Call, record: &mut Record, rule: F) -> Result<Answer, Problem>
where
    R: DeserializeOwned + Send + 'static,
    T: Serialize + Send + 'static,
    F: FnOnce(&Cx<'_>, Binding, &R) -> Result<T, Refused> + Send + 'static,
{
    let binding = binding(&call)?;
    let request: Result<R, Problem> = body::read(call.request.body());
    let (answer, notes) = issuer
        .write_told(call.now, &call.trace, move |cx| {
            session::check(cx, binding)?;
            rule(cx, binding, &request?)
        })
        .await;
    record.told(notes);
    Answer::json(&answer?)
}

async fn reading<T, F>(issuer: &Issuer, call: &Call, rule: F) -> Result<Answer, Problem>
where
    T: Serialize + Send + 'static,
    F: FnOnce(&Cx<'_>, Binding) -> Result<T, Refused> + Send + 'static,
{
    let binding = binding(call)?;
    let answer = issuer
        .rules
        .read(call.now, &call.trace, move |cx| {
            session::check(cx, binding)?;
            rule(cx, binding)
        })
        .await?;
    Answer::json(&answer)
}

async fn at_terminal<R, T>(
    issuer: &Issuer,
    call: Call,
    record: &mut Record,
    rule: OfTerminal<R, T>,
) -> Result<Answer, Problem>
where
    R: DeserializeOwned + Send + 'static,
    T: Serialize + Send + 'static,
{
    let (Access::Terminal(kind), Caller::Key { thumbprint, .. }) = (access(call.operation), call.caller) else {
        return Err(ProblemCode::Internal.into());
    };
    let request: Result<R, Problem> = body::read(call.request.body());
    let (answer, notes) = issuer
        .write_told(call.now, &call.trace, move |cx| {
            let terminal = known_terminal(cx, &thumbprint, kind)?;
            cx.note(|notes| notes.terminal = Some(terminal.name.clone()));
            rule(cx, &terminal, &request?)
        })
        .await;
    record.told(notes);
    Answer::json(&answer?)
}

/// The terminal with this key, if it is of the kind that may ask.
fn known_terminal(cx: &Cx<'_>, thumbprint: &str, kind: TerminalKind) -> Result<Terminal, Refused> {
    let terminal = terminal::by_key(cx, thumbprint)?.filter(|terminal| terminal.kind == kind);
    terminal.ok_or_else(|| ProblemCode::UnknownTerminal.into())
}

async fn open_session(issuer: &Issuer, call: Call, record: &mut Record) -> Result<Answer, Problem> {
    let Caller::Key { thumbprint, nonce } = call.caller else { return Err(ProblemCode::Internal.into()) };
    let request: SessionRequest = body::read(call.request.body())?;
    let certified = thumbprint.clone();
    let (opened, notes) =
        issuer.write_told(call.now, &call.trace, move |cx| session::open(cx, &request, &nonce, &certified)).await;
    record.told(notes);
    let binding = opened?;
    (record.notes.account, record.notes.device) = (Some(binding.account), Some(binding.device));
    let (session, token) = issuer.auth.open(call.now, binding, &thumbprint)?;
    Answer::json(&SessionAnswer {
        session: session.text,
        session_expires_at: session.ends_at,
        access_token: token.text,
        expires_at: token.ends_at,
    })
}

fn renew_token(issuer: &Issuer, call: &Call) -> Result<Answer, Problem> {
    let Caller::Key { thumbprint, .. } = &call.caller else { return Err(ProblemCode::Internal.into()) };
    let request: TokenRequest = body::read(call.request.body())?;
    let token = issuer.auth.renew(call.now, &request.session, thumbprint)?;
    Answer::json(&TokenAnswer { access_token: token.text, expires_at: token.ends_at })
}

async fn follow(issuer: &Issuer, call: Call) -> Result<Answer, Problem> {
    let Caller::Customer { binding, session_ends_at } = call.caller else { return Err(ProblemCode::Internal.into()) };
    let after = match call.request.headers().get(headers::LAST_EVENT_ID) {
        None => 0,
        Some(value) => value
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| body::invalid("`last-event-id` is not an event number"))?,
    };
    let read = move |cx: &Cx<'_>| {
        session::check(cx, binding)?;
        events::era(cx)
    };
    let era = issuer.rules.read(call.now, &call.trace, read).await?;
    let subscription = issuer.subscribe(binding, after, session_ends_at, call.trace)?;
    Ok(Answer::events(subscription, &era))
}

async fn service_document(issuer: &Issuer, call: &Call) -> Result<Answer, Problem> {
    let signed = issuer.service.document(&issuer.rules, call.now, &call.trace).await?;
    let known = call.request.headers().get_all(header::IF_NONE_MATCH).iter().any(|value| value == signed.tag.as_str());
    Ok(Answer::tagged(signed.text.clone(), &signed.tag, known))
}

fn binding(call: &Call) -> Result<Binding, Problem> {
    match call.caller {
        Caller::Customer { binding, .. } => Ok(binding),
        // The table of accesses gives these operations to customers only.
        Caller::Anyone | Caller::Key { .. } => Err(ProblemCode::Internal.into()),
    }
}

/// The key of an intent: exactly one header, a UUIDv7 in its usual form.
fn intent_key(call: &Call) -> Result<IntentKey, Problem> {
    let mut values = call.request.headers().get_all(headers::IDEMPOTENCY_KEY).iter();
    let text = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    };
    text.filter(|text| text.len() == 36)
        .and_then(|text| text.parse::<IntentKey>().ok())
        .filter(|key| key.at().is_some())
        .ok_or_else(|| body::invalid("`idempotency-key` is not a UUIDv7"))
}
