//! The sandbox issuer: accounts, devices, a double-entry ledger, registers, ATMs, switches, and the control API of quality
//! assurance, as a library that runs in the process of whoever needs an issuer: the `saifu` command, a scenario, a test.
//!
//! | To find | Look in |
//! | --- | --- |
//! | how one is started and reached | [`Sandbox`], [`SandboxInfo`] |
//! | what a request goes through | [`Issuer::handle`] |
//! | every number of the rules | [`policy`] |
//! | what is allowed, and what it does | [`rules`] |
//! | what goes wrong on demand | [`faults`] |
//! | what the world does on demand | [`rules::world`] |
//! | money | [`ledger`], over the [`store`] |
//! | the API, for other languages | [`openapi`] |
//!
//! *Invariants.* The issuer decides everything about money and believes no client: who asks is proven for each request
//! (RFC 9449), each rule runs in one transaction, and an answer leaves after its commit is on disk. Time is the issuer's
//! clock and never goes back. Secrets and personal data reach no log. The control API has a listener of its own.
//!
//! ```
//! use saifu_sandbox::{Options, Sandbox, SandboxInfo};
//! use saifu_wire::Listener;
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let folder = tempfile::tempdir()?;
//! let sandbox = Sandbox::start(Options::new(folder.path())).await?;
//!
//! // Whoever wants to talk to it reads its sandbox.json …
//! let info = SandboxInfo::read(sandbox.info_file())?;
//! assert!(info.customer_url.starts_with("https://127.0.0.1:"));
//!
//! // … and a test may ask the issuer without a socket.
//! let issuer = sandbox.issuer();
//! let request = http::Request::get("/service.json").body(bytes::Bytes::new())?;
//! let answer = issuer.handle(issuer.now(), Listener::Service, request).await;
//! assert_eq!(answer.status(), 200);
//!
//! sandbox.stop().await;
//! assert!(!folder.path().join("sandbox.json").exists());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```

mod auth;
mod clock;
mod control;
pub mod faults;
mod files;
mod issuer;
pub mod ledger;
mod log;
pub mod openapi;
pub mod policy;
pub mod rules;
mod serve;
mod service;
mod snapshot;
pub mod store;
mod words;

pub use clock::ClockFile;
pub use files::{COMMANDS, FORMAT, FileError, FolderError, InfoError, PhoneUrls, SandboxInfo, TerminalInfo, is_free};
pub use issuer::{Issuer, MAX_BODY};
pub use serve::{Options, Ports, Running, Sandbox, StartError};
pub use snapshot::{IssuerSnapshot, RestoreError, holds_an_issuer};
