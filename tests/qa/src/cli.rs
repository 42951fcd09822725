//! The commands and their arguments. Tests walk this tree; `docs/interface.md` lists it.

mod arguments;
mod behave;
mod event;
mod fault;
mod sandbox;
mod scenario;
mod till;
mod told;
mod tool;
mod wallet;

use std::path::PathBuf;

use clap::builder::{FalseyValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use arguments::{Move, Only, WalletName};
pub use behave::Behave;
pub use event::EventArgs;
pub use fault::{FaultAddArgs, FaultCommand};
pub use sandbox::{Person, PersonArgs, RunArgs};
pub use scenario::{ScenarioCommand, ScenarioRunArgs};
pub use till::{AtmCommand, DepositArgs, Original, PayArgs, Peer, RefundArgs, RegisterCommand, ScanArgs};
pub use told::{LogArgs, from_environment};
pub use tool::{Algorithm, CpmCommand, ToolCommand, TotpArgs};
pub use wallet::{CodeArgs, CodePurpose, TopUpCommand, WalletCommand};

/// A consumer payment wallet, its issuer, tills and ATMs, played on a desktop.
#[derive(Debug, Parser)]
#[command(
    name = "saifu",
    version,
    max_term_width = 100,
    after_help = "Example:\n  saifu        the whole flow in a temporary folder: sign up, top up, pay"
)]
pub struct Cli {
    /// Accepted by every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do; the demo if nothing is given.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Accepted by every command, before or after its name.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// Write one JSON document to stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Write no progress and no remarks
    #[arg(long, global = true)]
    pub quiet: bool,
    /// The folder that holds wallets and sandbox [default: the platform's data folder]
    #[arg(long, global = true, value_name = "DIR", env = "SAIFU_HOME", hide_env_values = true)]
    pub home: Option<PathBuf>,
    /// Which wallet
    #[arg(long, global = true, value_name = "NAME", default_value = "me")]
    pub wallet: WalletName,
    /// Whether --wallet was written.
    #[arg(skip)]
    pub wallet_named: bool,
    /// Where a new wallet keeps its keys: keyring or file [default: the keyring where one answers]
    #[arg(long, global = true, value_name = "STORE", env = "SAIFU_KEY_STORE", hide_env_values = true)]
    #[arg(hide_possible_values = true)]
    pub key_store: Option<KeyStoreChoice>,
    /// Which issuer [default: sandbox/sandbox.json under the home folder]
    #[arg(long, global = true, value_name = "FILE", env = "SAIFU_SANDBOX", hide_env_values = true)]
    pub sandbox: Option<PathBuf>,
    /// Approve without asking; sandbox issuers only
    #[arg(long, global = true, env = "SAIFU_YES", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub yes: bool,
}

/// Where a wallet's keys rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyStoreChoice {
    /// The keyring of the operating system
    Keyring,
    /// A file that only you can read
    File,
}

/// A value of a closed list as it is written.
pub(crate) fn word(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play the whole flow in a temporary folder: sign up, be robbed in vain, top up, pay
    #[command(after_help = "Example:\n  saifu demo --out demo.svg")]
    Demo(DemoArgs),
    /// Run the sandbox issuer until it is stopped, or use its control API
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "Examples:\n  saifu sandbox\n  saifu sandbox --data ./issuer --port 8443 --seed 7"
    )]
    Sandbox(SandboxArgs),
    /// Be a customer
    #[command(subcommand, after_help = "Example:\n  saifu wallet signup --number 090-1234-5678")]
    Wallet(WalletCommand),
    /// Pay at a till: show a code, have its picture scanned, look at the balance
    #[command(after_help = "Example:\n  saifu pay --yen 1280")]
    Pay(PayArgs),
    /// Be a cash machine
    #[command(subcommand, after_help = "Example:\n  saifu atm deposit --yen 5000")]
    Atm(AtmCommand),
    /// Be a till
    #[command(subcommand, after_help = "Example:\n  saifu register scan --image code.png --yen 1280")]
    Register(RegisterCommand),
    /// Play the scenarios: small files, each showing one thing that the system does
    #[command(subcommand, after_help = "Example:\n  saifu scenario run --all")]
    Scenario(ScenarioCommand),
    /// Work on codes and pictures without any issuer
    #[command(subcommand, after_help = "Example:\n  saifu tool scan code.png")]
    Tool(ToolCommand),
    /// Say what an error code means and what to do, or why one try ended as it did
    #[command(after_help = "Examples:\n  saifu explain number-taken\n  saifu explain register-1f0e9d")]
    Explain {
        /// A code or reason, such as `over-limit`, or the number of a wallet error; or the id of a terminal's transaction, an intent, a settlement or a trace, or its name in the log
        #[arg(value_name = "CODE|TXID|INTENT")]
        code_or_id: String,
    },
    /// Say what is here, what is missing, and whether the wallet's files are sound
    #[command(after_help = "Example:\n  saifu doctor --json")]
    Doctor,
    /// Show what the wallet last asked the issuer and how it ended; no secrets
    #[command(after_help = "Example:\n  saifu trace --last 5")]
    Trace {
        /// The newest so many requests, 500 at most
        #[arg(long, value_name = "N", default_value_t = 20)]
        last: usize,
    },
    /// Write a bug report: one JSON file of at most 200 KB, no secrets
    #[command(after_help = "Example:\n  saifu bundle --out report.json")]
    Bundle {
        /// The file to write
        #[arg(long, value_name = "F")]
        out: PathBuf,
    },
    /// Write a completion script for a shell
    #[command(after_help = "Example:\n  saifu completions bash > ~/.local/share/bash-completion/completions/saifu")]
    Completions {
        /// The shell
        #[arg(value_name = "SHELL", value_parser = shells())]
        shell: clap_complete::Shell,
    },
}

/// How the demo ends.
#[derive(Debug, Default, Args)]
pub struct DemoArgs {
    /// Also write a picture of what the demo showed
    #[arg(long, value_name = "F.svg")]
    pub out: Option<PathBuf>,
    /// Keep the temporary folder
    #[arg(long)]
    pub keep: bool,
}

/// The sandbox itself, or a call of its control API.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// How to run it.
    #[command(flatten)]
    pub run: SandboxRunArgs,
    /// A call of a running one's control API.
    #[command(subcommand)]
    pub control: Option<ControlCommand>,
}

/// How the sandbox runs.
#[derive(Debug, Args)]
pub struct SandboxRunArgs {
    /// Its folder [default: sandbox under the home folder]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The customers' port; the others follow it; 0: any free ones [default: 8940, or the next four that are free]
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Serve customers on this address of the machine too, for phones in its network; never registers, never the control API
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<std::net::IpAddr>,
    /// Delete every account first
    #[arg(long)]
    pub reset: bool,
    /// Draw codes and numbers from this seed, so that a run repeats
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Limits to use instead of the usual ones
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// The control API of a running sandbox.
#[derive(Debug, Subcommand)]
pub enum ControlCommand {
    /// Read the SMS inbox of a number
    #[command(after_help = "Example:\n  saifu sandbox sms --number 090-1234-5678")]
    Sms {
        /// The phone number
        #[arg(long, value_name = "N", value_parser = arguments::phone_number)]
        number: saifu_wire::PhoneNumber,
        /// The inbox of an earlier holder of the number, the first being 1 [default: the present one]
        #[arg(long, value_name = "N")]
        holder: Option<usize>,
    },
    /// Show the issuer's clock, move it ahead with every wallet that uses it, or stop time
    #[command(
        after_help = "Examples:\n  saifu sandbox clock\n  saifu sandbox clock +72h\n  saifu sandbox clock to 2027-01-01T00:00:00Z\n  saifu sandbox clock hold\n  saifu sandbox clock +3h --only wallet:me"
    )]
    Clock {
        /// +DURATION (72h, 30m, 3d), `to` and a TIME (RFC 3339), `hold`, or `run`
        #[arg(value_name = "MOVE", num_args = 0..=2)]
        change: Vec<String>,
        /// Move one clock alone: issuer or wallet:NAME
        #[arg(long, value_name = "WHOSE")]
        only: Option<Only>,
    },
    /// Say where it is, since when it runs, and what its clock and its books say
    #[command(after_help = "Example:\n  saifu sandbox status")]
    Status,
    /// End it, as Ctrl-C in its terminal does
    #[command(after_help = "Example:\n  saifu sandbox stop")]
    Stop,
    /// Show every limit, its value for this wallet, and what it means
    #[command(after_help = "Example:\n  saifu sandbox policy --wallet me")]
    Policy,
    /// Show the debug build of an app the way to it: a link, and a QR code as a picture
    #[command(after_help = "Example:\n  saifu sandbox pair --out pair.png")]
    Pair {
        /// The picture [default: pair.png beside sandbox.json]
        #[arg(long, value_name = "F.png|F.svg")]
        out: Option<PathBuf>,
    },
    /// Let things go wrong between the issuer and whoever asks it
    #[command(subcommand, after_help = "Example:\n  saifu sandbox fault add --on top-up --do drop-answer --times 1")]
    Fault(FaultCommand),
    /// Let the world do something to us: messages late or lost, a number with another holder, the end of the day
    #[command(after_help = event::after_help())]
    Event(EventArgs),
    /// Read the issuer's log: every request, who was told what, which rule decided, what was posted
    #[command(after_help = "Examples:\n  saifu sandbox log --refused\n  saifu sandbox log --wallet me --follow")]
    Log(LogArgs),
    /// Run a command with an issuer and a home folder of its own, and return its exit code
    #[command(after_help = "Example:\n  saifu sandbox run --seed 7 -- ./smoke-test.sh")]
    Run(RunArgs),
    /// Keep the issuer and the wallets of this home folder in one file
    #[command(after_help = "Example:\n  saifu sandbox snapshot before.json")]
    Snapshot {
        /// The file to write
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Bring the issuer and the wallets of a snapshot back; the sandbox must be stopped
    #[command(after_help = "Example:\n  saifu sandbox restore before.json --home ./elsewhere")]
    Restore {
        /// The file that a snapshot was written to
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Replace the issuer and every wallet that are there
        #[arg(long)]
        force: bool,
    },
    /// Make a wallet in a named state: sign it up, top it up, pay, and whatever else the name says
    #[command(after_help = "Example:\n  saifu sandbox person starter --wallet hanako")]
    Person(PersonArgs),
}

/// Those whose scripts are tried.
fn shells() -> impl TypedValueParser<Value = clap_complete::Shell> {
    PossibleValuesParser::new(["bash", "zsh", "fish"]).try_map(|shell| shell.parse())
}
