//! What the core's own calls cost, a start of it, and what ten thousand openings leave behind: the peer of the same
//! programs in Kotlin and Swift (`MeasureTest`, `MeasureTests`), which go through the bindings. Same wallet, same calls, same
//! document, so that the difference is the boundary's.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use saifu::{Config, PhoneNumber, Wallet};
use saifu_host::desktop::{DesktopClock, DesktopHost, KeyStore};
use saifu_rig::control::sms_code;
use saifu_rig::terminal::config;
use saifu_sandbox::{Options, Sandbox, SandboxInfo};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::Result;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where the issuer and the wallet lie, emptied first.
    #[arg(long)]
    data: PathBuf,
    /// Calls of each kind; a tenth of it where a call reads a file.
    #[arg(long, default_value_t = 100_000)]
    calls: u32,
    /// How often the wallet is opened and closed.
    #[arg(long, default_value_t = 10_000)]
    openings: u32,
    /// Starts in a process of their own.
    #[arg(long, default_value_t = 20)]
    starts: u32,
}

#[derive(clap::Args)]
pub(crate) struct StartArgs {
    /// As `calls` left it.
    #[arg(long)]
    data: PathBuf,
}

/// What is printed.
#[derive(Serialize)]
pub(crate) struct Report {
    language: &'static str,
    calls: Vec<Cost>,
    cold: Vec<Start>,
    openings: Wear,
    many: Wear,
}

/// One kind of call.
#[derive(Serialize)]
struct Cost {
    name: &'static str,
    count: u32,
    /// Of one call on average, nanoseconds.
    ns: f64,
}

/// One start, from nothing to the first code, milliseconds.
#[derive(Serialize, Deserialize)]
pub(crate) struct Start {
    /// No library is loaded here: the program is the core.
    load_ms: f64,
    open_ms: f64,
    code_ms: f64,
    /// From before the process was made.
    #[serde(default)]
    all_ms: f64,
}

/// What is left after much work.
#[derive(Serialize)]
struct Wear {
    cycles: u32,
    threads_before: u64,
    threads_after: u64,
    rss_before_kib: u64,
    rss_after_kib: u64,
}

/// What a start needs to know of the issuer.
const INFO: &str = "issuer.json";

/// Signs up and measures.
///
/// # Errors
/// When a call fails.
pub(crate) async fn run(args: &Args) -> Result<Report> {
    if args.data.exists() {
        fs::remove_dir_all(&args.data)?;
    }
    let running = Sandbox::start(Options::new(args.data.join("issuer"))).await?;
    fs::write(args.data.join(INFO), serde_json::to_vec(running.info())?)?;
    let wallet = open(&args.data, running.info())?;
    sign_up(&wallet, running.info()).await?;

    let calls = vec![
        cost("pending", args.calls, || Ok(wallet.pending().len()))?,
        cost("home", args.calls, || Ok(wallet.home()))?,
        cost("totp", args.calls, || Ok(wallet.totp()?))?,
        newest(&wallet, args.calls.div_euclid(10)).await?,
    ];
    mix(&wallet, args.calls.div_euclid(10)).await?;
    let many = worn(args.calls, mix(&wallet, args.calls)).await?;
    wallet.close().await;
    drop(wallet);
    let cycle = |count| openings(&args.data, running.info(), count);
    cycle(args.openings.div_euclid(10)).await?;
    let openings = worn(args.openings, cycle(args.openings)).await?;
    running.stop().await;
    let cold = (0..args.starts).map(|_| start_process(&args.data)).collect::<Result<_>>()?;
    fs::remove_dir_all(&args.data)?;
    Ok(Report { language: "rust", calls, cold, openings, many })
}

/// Opens the wallet that `calls` signed up, in this fresh process, and shows its first code.
///
/// # Errors
/// When a call fails.
pub(crate) fn start(args: &StartArgs) -> Result<Start> {
    let info: SandboxInfo = serde_json::from_slice(&fs::read(args.data.join(INFO))?)?;
    let begun = Instant::now();
    let wallet = open(&args.data, &info)?;
    let opened = begun.elapsed();
    black_box(wallet.totp()?);
    let code_ms = millis(begun.elapsed().saturating_sub(opened));
    Ok(Start { load_ms: 0.0, open_ms: millis(opened), code_ms, all_ms: 0.0 })
}

fn open(data: &Path, info: &SandboxInfo) -> Result<Wallet> {
    let host = DesktopHost::open(&data.join("wallet"), KeyStore::File, Arc::new(DesktopClock::new()))?;
    let config = Config {
        folder: data.join("wallet/vault"),
        issuer: config(info, &info.customer_url),
        app_version: env!("CARGO_PKG_VERSION").into(),
    };
    Ok(Wallet::open(host.platform(), config, Handle::current())?)
}

async fn sign_up(wallet: &Wallet, info: &SandboxInfo) -> Result<()> {
    let number = PhoneNumber::parse("090-1234-5678")?;
    let sign_up = wallet.sign_up(number.clone()).await?;
    sign_up.confirm(&sms_code(info, &number)).await?;
    wallet.refresh().await?;
    Ok(())
}

/// The average of `count` calls, after a tenth as many that are not counted.
fn cost<T>(name: &'static str, count: u32, call: impl Fn() -> Result<T>) -> Result<Cost> {
    for _ in 0..count.div_euclid(10) {
        black_box(call()?);
    }
    let begun = Instant::now();
    for _ in 0..count {
        black_box(call()?);
    }
    Ok(Cost { name, count, ns: each(begun.elapsed(), count) })
}

async fn newest(wallet: &Wallet, count: u32) -> Result<Cost> {
    for _ in 0..count.div_euclid(10) {
        black_box(wallet.history(1).await?);
    }
    let begun = Instant::now();
    for _ in 0..count {
        black_box(wallet.history(1).await?);
    }
    Ok(Cost { name: "newest", count, ns: each(begun.elapsed(), count) })
}

/// What a screen in use asks for.
async fn mix(wallet: &Wallet, count: u32) -> Result<()> {
    for number in 0..count {
        match number.wrapping_rem(20) {
            0 => drop(black_box(wallet.history(5).await?)),
            1 => drop(black_box(wallet.pending())),
            2 => drop(black_box(wallet.totp()?)),
            3 => drop(black_box(wallet.payment_code(saifu::Purpose::Pay).ok())),
            _ => drop(black_box(wallet.home())),
        }
    }
    Ok(())
}

async fn openings(data: &Path, info: &SandboxInfo, count: u32) -> Result<()> {
    for _ in 0..count {
        let wallet = open(data, info)?;
        black_box(wallet.home());
        wallet.close().await;
    }
    Ok(())
}

async fn worn(cycles: u32, work: impl Future<Output = Result<()>>) -> Result<Wear> {
    let (threads_before, rss_before_kib) = footprint()?;
    work.await?;
    let (threads_after, rss_after_kib) = footprint()?;
    Ok(Wear { cycles, threads_before, threads_after, rss_before_kib, rss_after_kib })
}

/// Threads, and resident memory in KiB.
fn footprint() -> Result<(u64, u64)> {
    let status = fs::read_to_string("/proc/self/status")?;
    let number = |name: &str| -> Result<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line of /proc")?;
        Ok(line.split_whitespace().next().unwrap_or_default().parse()?)
    };
    Ok((number("Threads:")?, number("VmRSS:")?))
}

fn start_process(data: &Path) -> Result<Start> {
    let begun = Instant::now();
    let mut command = Command::new(std::env::current_exe()?);
    let ended = command.arg("start").arg("--data").arg(data).stderr(Stdio::inherit()).output()?;
    if !ended.status.success() {
        return Err("a start failed".into());
    }
    let start: Start = serde_json::from_slice(&ended.stdout)?;
    Ok(Start { all_ms: millis(begun.elapsed()), ..start })
}

fn each(took: Duration, count: u32) -> f64 {
    (took.as_secs_f64() * 1e10 / f64::from(count)).round() / 10.0
}

fn millis(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e3
}
