//! How many settlements a second the issuer commits to its disk, with 64 registers asking at a time.
//!
//! Three slices take turns. *In-process*: signed requests, made beforehand, go to `Issuer::handle` one after the other
//! from each register, so proof, rules, ledger and commit are measured and nothing of the register. *Floor*: one row,
//! one commit, in a database with the same settings on the same disk. *TLS*: whole requests by the wallet's own link over
//! open connections, the register's signature and both ends of TLS on the same cores.
//!
//! Customers, balances and codes come about as they always do: sign-up by SMS, key agreement, cash at an ATM.

mod customer;
mod figures;
mod floor;
mod register;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use saifu_crypto::KeyPair;
use saifu_rig::{Peer, terminal};
use saifu_sandbox::policy::Policy;
use saifu_sandbox::{Issuer, Options, Running, Sandbox, SandboxInfo, ledger};
use serde_json::Value;

use crate::Result;
use crate::slice::Slice;
use register::Scans;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Turns of all three slices.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// Where the issuer's chance begins.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where its database lies, emptied first; it should be a disk and not memory.
    #[arg(long)]
    data: PathBuf,
    /// How many customers pay.
    #[arg(long, default_value_t = 1_000)]
    customers: u32,
}

/// What is printed.
#[derive(serde::Serialize)]
pub(crate) struct Report {
    rounds: u32,
    figures: Figures,
    failures: Vec<String>,
}

#[derive(serde::Serialize)]
struct Figures {
    profile: &'static str,
    registers: u32,
    customers: u32,
    audit_ok: bool,
    #[serde(flatten)]
    rest: Value,
}

/// Registers that ask at a time.
const REGISTERS: u32 = 64;
/// Payments of each customer in one slice: 20,000 and 5,000 in all by default, some seconds of work.
const PAYMENTS_IN_PROCESS: u32 = 20;
const PAYMENTS_OVER_TLS: u32 = 5;
/// What each payment costs; it earns points, so it posts twice.
const EACH_YEN: i64 = 500;

/// No limits: what is measured is the work for a payment that goes through. Codes wait for their slice.
const POLICY: &str = r#"{
    "sign_up": {"prefix_an_hour": null, "all_an_hour": null},
    "top_up": {"interval_ms": null, "an_hour": null, "each_yen": null, "day_yen": null, "starter_day_yen": null},
    "code": {"cap_yen": null, "life_ms": 3600000, "live": 1000000},
    "pay": {"each_yen": null, "starter_day_yen": null, "in_10_min": null, "hour_yen": null, "day_yen": null}
}"#;

/// A running sandbox, as all parties see it.
#[derive(Clone)]
struct Scene {
    issuer: Arc<Issuer>,
    info: Arc<SandboxInfo>,
}

impl Scene {
    /// Whoever asks the issuer without a socket.
    fn peer(&self, key: KeyPair) -> Peer {
        Peer::beside(&self.issuer, &self.info, key)
    }

    /// A terminal that every sandbox has.
    fn terminal(&self, name: &str) -> Peer {
        self.peer(terminal::key(&self.info, name))
    }
}

/// Measures.
///
/// # Errors
/// When something on the way to a payment does not work. A payment that is not approved is a failure in the report.
pub(crate) async fn run(args: &Args) -> Result<Report> {
    if args.data.exists() {
        fs::remove_dir_all(&args.data)?;
    }
    let data = args.data.join("issuer");
    let options =
        Options { seed: Some(args.seed), policy: serde_json::from_str::<Policy>(POLICY)?, ..Options::new(&data) };
    let running = Sandbox::start(options).await?;
    let scene = Scene { issuer: Arc::clone(running.issuer()), info: Arc::new(running.info().clone()) };
    let (slices, scans) = take_turns(args, &scene).await?;
    let mut failures = scans.failures;
    let audit_ok = audit(&running, scans.approved, &mut failures)?;
    drop(scene);
    running.stop().await;
    fs::remove_dir_all(&args.data)?;
    let figures = Figures {
        profile: if cfg!(debug_assertions) { "dev" } else { "bench" },
        registers: REGISTERS,
        customers: args.customers,
        audit_ok,
        rest: figures::of(&slices),
    };
    Ok(Report { rounds: args.rounds, figures, failures })
}

async fn take_turns(args: &Args, scene: &Scene) -> Result<(Vec<Slice>, Scans)> {
    eprintln!("preparing {} customers", args.customers);
    let payments = args.rounds.saturating_mul(PAYMENTS_IN_PROCESS.saturating_add(PAYMENTS_OVER_TLS));
    let mut codes = customer::prepare(scene, args.customers, payments, EACH_YEN).await?;
    let mut registers = register::enrol(scene, REGISTERS).await?;
    let mut take = |each: u32| {
        let count = usize::try_from(args.customers.saturating_mul(each)).unwrap_or(usize::MAX);
        codes.split_off(codes.len().saturating_sub(count))
    };
    let (mut slices, mut scans) = (Vec::new(), Scans::default());
    for round in 1..=args.rounds {
        eprintln!("round {round}");
        slices
            .push(register::in_process(scene, &mut registers, take(PAYMENTS_IN_PROCESS), EACH_YEN, &mut scans).await?);
        let folder = args.data.clone();
        slices.push(tokio::task::spawn_blocking(move || floor::insert(&folder)).await??);
        slices.push(register::over_tls(&mut registers, take(PAYMENTS_OVER_TLS), EACH_YEN, &mut scans).await?);
    }
    Ok((slices, scans))
}

/// Recomputes the ledger, and compares the payments in it with the answers that registers got.
fn audit(running: &Running, approved: u64, failures: &mut Vec<String>) -> Result<bool> {
    let folder = running.info_file().parent().ok_or("the sandbox has no folder")?;
    let conn = Connection::open_with_flags(folder.join("issuer.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut faults = ledger::audit(&conn)?.faults;
    let posted: i64 = conn.query_row("SELECT count(*) FROM settlement WHERE kind = 'payment'", [], |row| row.get(0))?;
    if u64::try_from(posted)? != approved {
        faults.push(format!("{approved} payments were approved and {posted} posted"));
    }
    let ok = faults.is_empty();
    failures.extend(faults);
    Ok(ok)
}
