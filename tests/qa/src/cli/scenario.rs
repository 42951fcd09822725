//! `saifu scenario …`: the files of `tests/scenarios`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with scenarios.
#[derive(Debug, Subcommand)]
pub enum ScenarioCommand {
    /// Play scenarios, each with an issuer and wallets of its own
    #[command(
        after_help = "Examples:\n  saifu scenario run tests/scenarios/flow.json\n  saifu scenario run --all --json\n  \
                      saifu scenario run --seed 7 --log logs tests/scenarios/flow.json\n  \
                      saifu scenario run --all --driver 'saifu scenario driver'"
    )]
    Run(ScenarioRunArgs),
    /// Say what each scenario shows
    #[command(after_help = "Example:\n  saifu scenario list")]
    List {
        /// Where they are
        #[arg(long, value_name = "DIR", default_value = "tests/scenarios")]
        folder: PathBuf,
    },
    /// Make a scenario of what was done by hand in the running sandbox since its accounts began
    #[command(after_help = "Example:\n  saifu scenario record refused-at-the-till.json")]
    Record {
        /// The scenario to write; its name is the file's
        #[arg(value_name = "NAME.json")]
        file: PathBuf,
    },
    /// Hold one wallet for `scenario run`, which asks by JSON lines on stdin
    #[command(
        after_help = "Example:\n  echo '{\"id\": 1, \"verb\": \"wallet.home\", \"as\": \"taro\"}' | saifu scenario driver"
    )]
    Driver,
}

/// Which scenarios, and what stays.
#[derive(Debug, Args)]
pub struct ScenarioRunArgs {
    /// The scenarios
    #[arg(value_name = "FILE", required_unless_present = "all", conflicts_with = "all")]
    pub files: Vec<PathBuf>,
    /// Play every scenario of the folder
    #[arg(long)]
    pub all: bool,
    /// Where they are
    #[arg(long, value_name = "DIR", default_value = "tests/scenarios")]
    pub folder: PathBuf,
    /// Play with wallets of another program, a process for each: docs/scenarios.md says what it answers
    #[arg(long, value_name = "COMMAND")]
    pub driver: Option<String>,
    /// Stay, and play a file again whenever it has changed, until Ctrl-C; one file alone is told step by step as it happens
    #[arg(long)]
    pub watch: bool,
    /// Keep the temporary folders; that of a failed scenario stays anyway
    #[arg(long)]
    pub keep: bool,
    /// Draw the issuer's chance and the first moment from this seed and hold time, so that a run repeats
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Write each scenario's log of the issuer into this folder, as NAME.jsonl
    #[arg(long, value_name = "DIR")]
    pub log: Option<PathBuf>,
}
