//! `saifu register …`: a till. It gets digits or a picture, and knows nothing of the wallet that showed them.

use std::path::Path;

use saifu_wire::messages::{Outcome, RefundRequest, SettleAnswer, SettleRequest, TerminalKind, VoidRequest};
use saifu_wire::{Name, Operation, Sensitive, SettlementId};
use serde::Serialize;
use serde_json::{Value, json};

use super::behave::{self, TerminalRequest};
use crate::cli::{Original, Peer, RefundArgs, RegisterCommand, ScanArgs};
use crate::context::Context;
use crate::failure::{Failure, LocalCode, Status};
use crate::peers::{Terminal, new_txid};
use crate::picture;
use crate::report::{Report, with};
use crate::words::shown;

/// What a till says when it was told no reason.
const NO_REASON: (&str, &str) = ("unknown", "Ask the customer to look at the app.");

/// The issuer's answer to a terminal's transaction; a decline ends with exit 3.
pub(super) fn receipt(answer: &SettleAnswer, txid: &Name, terminal: &Name) -> Result<Report, Failure> {
    let text = match answer.result {
        Outcome::Approved => {
            let settlement = answer.settlement.map(|id| format!("\n  settlement {id}")).unwrap_or_default();
            format!("approved: {} ({terminal}, {txid}){settlement}", answer.yen)
        }
        Outcome::Voided => format!("voided ({terminal}, {txid})"),
        Outcome::Declined => {
            let (word, text) = answer.reason.as_ref().map_or(NO_REASON, |reason| (reason.as_str(), reason.text()));
            format!("declined: {}\n  {text} ({terminal}, {txid})", shown(word))
        }
    };
    let status = if answer.result == Outcome::Declined { Status::Refused } else { Status::Done };
    Ok(Report::new(with(with(json!(answer), "txid", txid), "terminal", terminal), text)?.with_status(status))
}

pub(super) async fn run(command: RegisterCommand, context: &Context) -> Result<Report, Failure> {
    match command {
        RegisterCommand::Scan(args) => scan(args, context).await,
        RegisterCommand::Void { txid, terminal } => void(txid, terminal.as_ref(), context).await,
        RegisterCommand::Refund(args) => refund(args, context).await,
    }
}

/// The terminal of these arguments, and the transaction's id.
pub(super) fn open(context: &Context, kind: TerminalKind, peer: Peer) -> Result<(Terminal, Name), Failure> {
    let terminal = Terminal::open(context, kind, peer.terminal.as_ref())?;
    let txid = peer.txid.map_or_else(|| new_txid(kind.as_str()), Ok)?;
    Ok((terminal, txid))
}

/// One transaction of a till, whose body has the fields of the scenario's verb.
async fn done(
    context: &Context,
    verb: &str,
    terminal: &Terminal,
    operation: Operation,
    txid: Name,
    body: impl Serialize,
) -> Result<Report, Failure> {
    let asked = async {
        let answer = terminal.ask(operation, &body).await?;
        receipt(&answer, &txid, terminal.name())
    };
    context.did(verb, by(terminal, &body), asked).await
}

/// What a terminal did, as a step says it.
pub(super) fn by(terminal: &Terminal, body: &impl Serialize) -> Value {
    with(json!(body), "as", terminal.name())
}

async fn scan(args: ScanArgs, context: &Context) -> Result<Report, Failure> {
    let scanned = match (&args.digits, &args.image) {
        (Some(digits), _) => saifu_wire::joined(digits),
        (None, Some(image)) => see(image)?,
        (None, None) => return Err(LocalCode::Usage.detail("--image or --digits is needed")),
    };
    let digits = saifu_code::read_digits(&scanned)
        .map_err(|error| LocalCode::BadInput.detail(format!("the scanned code: {error}")))?;
    let request =
        |txid: &Name| SettleRequest { txid: txid.clone(), digits: Sensitive::new(digits.as_str()), yen: args.yen };
    if let Some(how) = args.peer.behave {
        let steps = |txid: &Name| Ok(vec![TerminalRequest::new(Operation::Settle, &request(txid))?]);
        return behave::run(context, TerminalKind::Register, how, args.peer, steps).await;
    }
    let (terminal, txid) = open(context, TerminalKind::Register, args.peer)?;
    done(context, "register.scan", &terminal, Operation::Settle, txid.clone(), request(&txid)).await
}

/// What the scanner reads: the payment code among the symbols in the picture, which bar code and QR give alike.
fn see(image: &Path) -> Result<String, Failure> {
    let symbols = picture::read(image)?;
    let mut codes: Vec<String> = symbols
        .iter()
        .filter_map(|symbol| saifu_code::read_digits(&symbol.text).ok())
        .map(|code| code.as_str().to_owned())
        .collect();
    codes.sort();
    codes.dedup();
    match codes.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(LocalCode::NoSymbol.detail(format!("{}: {} other symbols", image.display(), symbols.len()))),
        _ => Err(LocalCode::NoSymbol.detail(format!("{}: it shows {} different codes", image.display(), codes.len()))),
    }
}

async fn void(txid: Name, terminal: Option<&Name>, context: &Context) -> Result<Report, Failure> {
    let terminal = Terminal::open(context, TerminalKind::Register, terminal)?;
    let body = VoidRequest { txid: txid.clone() };
    done(context, "register.void", &terminal, Operation::SettleVoid, txid, body).await
}

/// The settlement of a payment; a till keeps its receipts, this one looks them up.
async fn original(named: Original, terminal: Option<&Name>, context: &Context) -> Result<SettlementId, Failure> {
    let txid = match named {
        Original::Settlement(id) => return Ok(id),
        Original::Transaction(txid) => txid,
    };
    let told = context.control()?.tries(&txid).await?;
    let is = |row: &Value, field: &str, word: &str| row.get(field).and_then(Value::as_str) == Some(word);
    let paid = told.iter().find(|row| {
        is(row, "what", "settle")
            && is(row, "result", "approved")
            && terminal.is_none_or(|terminal| is(row, "terminal", terminal.as_str()))
    });
    let id = paid.and_then(|row| row.get("settlement")).and_then(Value::as_str).and_then(|id| id.parse().ok());
    let at = terminal.map(|terminal| format!(" at {terminal}")).unwrap_or_default();
    id.ok_or_else(|| {
        LocalCode::BadInput.detail(format!("--settlement: no payment{at} has the transaction id `{txid}`"))
    })
}

async fn refund(args: RefundArgs, context: &Context) -> Result<Report, Failure> {
    let settlement = original(args.settlement, args.peer.terminal.as_ref(), context).await?;
    let request = |txid: &Name| RefundRequest { txid: txid.clone(), settlement, yen: args.yen };
    if let Some(how) = args.peer.behave {
        let steps = |txid: &Name| Ok(vec![TerminalRequest::new(Operation::Refund, &request(txid))?]);
        return behave::run(context, TerminalKind::Register, how, args.peer, steps).await;
    }
    let (terminal, txid) = open(context, TerminalKind::Register, args.peer)?;
    done(context, "register.refund", &terminal, Operation::Refund, txid.clone(), request(&txid)).await
}
