//! `saifu register …`: a till. It gets digits or a picture, and knows nothing of the wallet that showed them.

use std::path::Path;

use saifu_wire::messages::{Outcome, RefundRequest, SettleAnswer, SettleRequest, TerminalKind, VoidRequest};
use saifu_wire::{Name, Open, Operation, Reason, Sensitive, SettlementId, Yen};
use serde::Serialize;
use serde_json::Value;

use super::behave::{self, Step};
use crate::cli::{Original, Peer, RefundArgs, RegisterCommand, ScanArgs, VoidArgs};
use crate::context::Context;
use crate::failure::{Failure, LocalCode, Status};
use crate::peers::{ControlApi, Terminal, new_txid};
use crate::picture;
use crate::report::Report;
use crate::words::shown;

/// What a terminal's transaction came to.
#[derive(Serialize)]
pub(super) struct Document {
    result: Outcome,
    reason: Option<Open<Reason>>,
    settlement: Option<SettlementId>,
    yen: Yen,
    txid: Name,
    terminal: Name,
}

/// What a till says when it was told no reason.
const NO_REASON: (&str, &str) = ("unknown", "Ask the customer to look at the app.");

impl Document {
    pub(super) fn new(answer: SettleAnswer, txid: Name, terminal: Name) -> Self {
        let SettleAnswer { result, reason, settlement, yen } = answer;
        Self { result, reason, settlement, yen, txid, terminal }
    }

    /// The document; a decline ends with exit 3.
    pub(super) fn report(&self) -> Result<Report, Failure> {
        let Self { yen, txid, terminal, .. } = self;
        let text = match self.result {
            Outcome::Approved => {
                let settlement = self.settlement.map(|id| format!("\n  settlement {id}")).unwrap_or_default();
                format!("approved: {yen} ({terminal}, {txid}){settlement}")
            }
            Outcome::Voided => format!("voided ({terminal}, {txid})"),
            Outcome::Declined => {
                let (word, text) = self.reason.as_ref().map_or(NO_REASON, |reason| (reason.as_str(), reason.text()));
                format!("declined: {}\n  {text} ({terminal}, {txid})", shown(word))
            }
        };
        let status = if self.result == Outcome::Declined { Status::Refused } else { Status::Done };
        Ok(Report::new(self, text)?.with_status(status))
    }
}

pub(super) async fn run(command: RegisterCommand, context: &Context) -> Result<Report, Failure> {
    match command {
        RegisterCommand::Scan(args) => scan(args, context).await,
        RegisterCommand::Void(args) => void(args, context).await,
        RegisterCommand::Refund(args) => refund(args, context).await,
    }
}

/// The terminal of these arguments, and the transaction's id.
pub(super) fn open(context: &Context, kind: TerminalKind, peer: Peer) -> Result<(Terminal, Name), Failure> {
    let terminal = Terminal::open(context, kind, peer.terminal.as_ref())?;
    let txid = peer.txid.map_or_else(|| new_txid(kind.as_str()), Ok)?;
    Ok((terminal, txid))
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
        let steps = |txid: &Name| Ok(vec![Step::new(Operation::Settle, &request(txid))?]);
        return behave::run(context, TerminalKind::Register, how, args.peer, steps).await;
    }
    let (terminal, txid) = open(context, TerminalKind::Register, args.peer)?;
    let body = request(&txid);
    let answer = terminal.ask(Operation::Settle, &body).await?;
    Document::new(answer, txid, terminal.name().clone()).report()
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

async fn void(args: VoidArgs, context: &Context) -> Result<Report, Failure> {
    let terminal = Terminal::open(context, TerminalKind::Register, args.terminal.as_ref())?;
    let answer = terminal.ask(Operation::SettleVoid, &VoidRequest { txid: args.txid.clone() }).await?;
    Document::new(answer, args.txid, terminal.name().clone()).report()
}

/// The settlement of a payment; a till keeps its receipts, this one looks them up.
async fn original(named: Original, terminal: Option<&Name>, context: &Context) -> Result<SettlementId, Failure> {
    let txid = match named {
        Original::Settlement(id) => return Ok(id),
        Original::Transaction(txid) => txid,
    };
    let told = ControlApi::new(&context.sandbox()?)?.tries(&txid).await?;
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
        let steps = |txid: &Name| Ok(vec![Step::new(Operation::Refund, &request(txid))?]);
        return behave::run(context, TerminalKind::Register, how, args.peer, steps).await;
    }
    let (terminal, txid) = open(context, TerminalKind::Register, args.peer)?;
    let body = request(&txid);
    let answer = terminal.ask(Operation::Refund, &body).await?;
    Document::new(answer, txid, terminal.name().clone()).report()
}
