//! `saifu trace` and `saifu bundle`: what a bug report is made of.

use std::path::PathBuf;

use clap::Args;

/// How much of the trace.
#[derive(Debug, Args)]
pub struct TraceArgs {
    /// The newest so many requests, 500 at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub last: usize,
}

/// Where the bundle goes.
#[derive(Debug, Args)]
pub struct BundleArgs {
    /// The file to write
    #[arg(long, value_name = "F")]
    pub out: PathBuf,
}
