//! `saifu tool …`: codes and pictures without any issuer.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Codes and pictures without any issuer.
#[derive(Debug, Subcommand)]
pub enum ToolCommand {
    /// Compute a TOTP code (RFC 6238)
    #[command(
        after_help = "Example:\n  saifu tool totp --secret GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ --digits 8 --time 59"
    )]
    Totp(TotpArgs),
    /// Draw digits as Code 128, code set C
    #[command(after_help = "Example:\n  saifu tool barcode 900000020123456789012345 --out bars.png")]
    Barcode {
        /// An even number of digits
        #[arg(value_name = "DIGITS")]
        digits: String,
        /// The picture
        #[arg(long, value_name = "F.png|F.svg")]
        out: PathBuf,
    },
    /// Draw a text as QR, level M
    #[command(after_help = "Example:\n  saifu tool qr hello --out hello.svg")]
    Qr {
        /// At most 2,331 bytes
        #[arg(value_name = "TEXT")]
        text: String,
        /// The picture
        #[arg(long, value_name = "F.png|F.svg")]
        out: PathBuf,
    },
    /// Read every Code 128 and QR symbol in a picture, with a decoder that is not Saifu's
    #[command(after_help = "Example:\n  saifu tool scan code.png")]
    Scan {
        /// The picture
        #[arg(value_name = "F.png|F.svg")]
        file: PathBuf,
    },
    /// Payloads of consumer-presented QR codes
    #[command(subcommand, after_help = "Example:\n  saifu tool cpm decode hQVDUFYwMQ==")]
    Cpm(CpmCommand),
}

/// A secret and its parameters.
#[derive(Debug, Args)]
pub struct TotpArgs {
    /// Base32, as authenticators show it
    #[arg(long, value_name = "BASE32")]
    pub secret: String,
    /// The hash
    #[arg(long, value_name = "HASH", default_value = "SHA1")]
    pub algorithm: Algorithm,
    /// 6 to 8
    #[arg(long, value_name = "N", default_value_t = 6)]
    pub digits: u8,
    /// Seconds of a step
    #[arg(long, value_name = "S", default_value_t = 30)]
    pub period: u64,
    /// Seconds since 1970 [default: now]
    #[arg(long, value_name = "UNIX")]
    pub time: Option<u64>,
}

/// Hashes of RFC 6238.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Algorithm {
    /// The one that every authenticator knows
    #[value(name = "SHA1")]
    Sha1,
    /// SHA-256
    #[value(name = "SHA256")]
    Sha256,
    /// SHA-512
    #[value(name = "SHA512")]
    Sha512,
}

/// Payloads of consumer-presented QR codes (EMVCo CPM, JPQR).
#[derive(Debug, Subcommand)]
pub enum CpmCommand {
    /// Take a payload apart
    #[command(after_help = "Example:\n  saifu tool cpm decode hQVKUFFSMWEUTwgxMjM0NTY3OFcIODc2NTQzMjE=")]
    Decode {
        /// The text of the QR code
        #[arg(value_name = "BASE64")]
        payload: String,
    },
}
