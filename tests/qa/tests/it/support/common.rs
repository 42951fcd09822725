//! What the tests of the command share: a home folder of its own with a sandbox in it, running the command in it, and the
//! second decoder.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use saifu_rig::{Issuer, Launch};
use serde_json::Value;

/// A policy without waiting times: only what a test switches on decides.
pub(crate) const NO_WAITING: &str = include_str!("no_waiting.json");

/// The command under test.
pub(crate) const SAIFU: &str = env!("CARGO_BIN_EXE_saifu");

/// An issuer as a process of its own; `policy` is the text of a policy file.
pub(crate) fn issuer(policy: Option<&str>) -> Issuer {
    Issuer::launch(launch(policy))
}

pub(crate) fn launch(policy: Option<&str>) -> Launch {
    Launch { program: SAIFU.into(), policy: policy.map(str::to_owned), port: None, log: false }
}

/// How a run of the command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The one document on stdout.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "one document: {self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The document of a run that did what it was asked.
    #[track_caller]
    pub(crate) fn done(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.json()
    }

    /// The document of a run that ended with this exit code and error code.
    #[track_caller]
    pub(crate) fn refused(&self, exit: i32, code: &str) -> Value {
        let document = self.json();
        assert_eq!((self.code, document["error"]["code"].as_str()), (Some(exit), Some(code)), "{self:?}");
        document
    }

    /// The reason of a declined terminal transaction.
    #[track_caller]
    pub(crate) fn declined(&self, reason: &str) -> Value {
        let document = self.json();
        assert_eq!((self.code, document["result"].as_str()), (Some(3), Some("declined")), "{self:?}");
        assert_eq!(document["reason"], reason, "{self:?}");
        document
    }
}

/// The number of the wallet `me`.
pub(crate) const NUMBER: &str = "090-1234-5678";

/// A home folder and perhaps a sandbox in it; both are gone at the end.
pub(crate) struct Home {
    sandbox: RefCell<Option<Sandbox>>,
    folder: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { sandbox: RefCell::default(), folder: tempfile::tempdir().unwrap() }
    }

    /// With a sandbox.
    pub(crate) fn running() -> Self {
        let home = Self::new();
        home.start("sandbox");
        home
    }

    /// With a sandbox and the wallet `me` signed up.
    pub(crate) fn ready() -> Self {
        let home = Self::running();
        home.sign_up("me", NUMBER);
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.path().join(name).to_str().unwrap().to_owned()
    }

    /// The command with this home, `--json`, file keys, no stdin and none of the caller's settings.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = A>) -> Command {
        let mut command = bare(words);
        command.args(["--json", "--key-store", "file", "--home"]).arg(self.path());
        command
    }

    pub(crate) fn run<A: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = A>) -> Ran {
        run(self.command(words))
    }

    /// Words separated by blanks, for short commands.
    pub(crate) fn saifu(&self, words: &str) -> Ran {
        self.run(words.split(' '))
    }

    /// Starts a sandbox with this command, after the one there was; its document.
    pub(crate) fn start(&self, words: &str) -> Value {
        self.kill();
        let (sandbox, document) = Sandbox::start(self.command(words.split(' ').chain(["--port", "0"])));
        self.sandbox.replace(Some(sandbox));
        document
    }

    /// Ends its sandbox as a power cut would.
    pub(crate) fn kill(&self) {
        drop(self.sandbox.take());
    }

    /// What its sandbox says of itself.
    pub(crate) fn info(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.file("sandbox/sandbox.json")).unwrap()).unwrap()
    }

    /// Signs a wallet up with this number.
    pub(crate) fn sign_up(&self, wallet: &str, number: &str) {
        self.run(["wallet", "signup", "--wallet", wallet, "--number", number]).done();
        let code = self.sms_code(number);
        let ready = self.run(["wallet", "confirm", "--wallet", wallet, "--code", &code]).done();
        assert_eq!(ready["state"], "ready");
    }

    pub(crate) fn inbox(&self, number: &str) -> Vec<Value> {
        self.run(["sandbox", "sms", "--number", number]).done()["messages"].as_array().unwrap().clone()
    }

    /// The newest one-time code sent to a number.
    pub(crate) fn sms_code(&self, number: &str) -> String {
        let inbox = self.inbox(number);
        let newest = inbox.iter().rev().find_map(|sms| sms["code"].as_str());
        newest.unwrap_or_else(|| panic!("no code in {inbox:?}")).to_owned()
    }

    pub(crate) fn totp(&self) -> String {
        self.saifu("wallet totp").done()["code"].as_str().unwrap().to_owned()
    }

    /// Tops the wallet `me` up with cash.
    pub(crate) fn top_up(&self, yen: i64) {
        let top_up = self.saifu(&format!("wallet topup atm --yen {yen} --yes")).done();
        let (number, totp) = (top_up["number"].as_str().unwrap(), self.totp());
        let deposit = self.saifu(&format!("atm deposit --number {number} --totp {totp} --yen {yen}")).done();
        assert_eq!((&deposit["result"], deposit["yen"].as_i64()), (&Value::from("approved"), Some(yen)));
    }

    /// A fresh payment code. A machine busy with other tests may miss the second that a till is patient.
    pub(crate) fn code(&self, words: &str) -> Value {
        for _ in 0..5 {
            let ran = self.saifu(format!("wallet code {words}").trim());
            if ran.code != Some(4) {
                return ran.done();
            }
        }
        panic!("the issuer gives no code");
    }

    pub(crate) fn digits(&self) -> String {
        self.code("")["digits"].as_str().unwrap().to_owned()
    }

    pub(crate) fn balance(&self) -> i64 {
        self.saifu("wallet refresh").done()["balance_yen"].as_i64().unwrap()
    }
}

/// A running sandbox, killed at the end.
pub(crate) struct Sandbox(Child);

impl Sandbox {
    /// Started by this command; with its document.
    pub(crate) fn start(mut command: Command) -> (Self, Value) {
        let mut child = Self(command.stdout(Stdio::piped()).spawn().unwrap());
        let mut line = String::new();
        BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let document = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        (child, document)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The command with closed stdin and none of the caller's settings.
pub(crate) fn bare<A: AsRef<OsStr>>(words: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(SAIFU);
    for name in ["SAIFU_HOME", "SAIFU_SANDBOX", "SAIFU_KEY_STORE", "SAIFU_YES", "SAIFU_LOG", "SAIFU_KILL_AT"] {
        command.env_remove(name);
    }
    command.args(words).stdin(Stdio::null());
    command
}

pub(crate) fn run(mut command: Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Compares a block of a document, which begins with a comment that names it, with what it must be; `SAIFU_UPDATE_DOCS=1` writes it.
#[track_caller]
pub(crate) fn hold(file: &str, name: &str, expected: &str) {
    let (document, begin, end) = (std::fs::read_to_string(file).unwrap(), format!("<!-- {name} -->\n"), "<!-- end -->");
    let (before, rest) = document.split_once(&begin).unwrap_or_else(|| panic!("{file} has no block `{name}`"));
    let (found, after) = rest.split_once(end).unwrap();
    if std::env::var_os("SAIFU_UPDATE_DOCS").is_some() {
        std::fs::write(file, format!("{before}{begin}{expected}{end}{after}")).unwrap();
    } else {
        assert_eq!(found, expected, "the block `{name}` of {file}: SAIFU_UPDATE_DOCS=1 writes it anew");
    }
}

/// Asks again until it is so; two minutes at most.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(120), "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The lines `zbarimg` reads in a picture, or `None` where the program is not installed.
pub(crate) fn zbar(file: &Path) -> Option<Vec<String>> {
    let output = match Command::new("zbarimg").args(["--nodbus", "-q", "--raw"]).arg(file).output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("SAIFU-SKIP: zbarimg");
            return None;
        }
        Err(error) => panic!("zbarimg: {error}"),
    };
    Some(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}
