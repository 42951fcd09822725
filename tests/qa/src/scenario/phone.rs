//! A persona's phone as the runner has it: a folder, and the process of a driver that holds the wallet in it. A process for each
//! persona, so that a kill is a kill and nobody else notices.

use std::path::PathBuf;
use std::process::Stdio;

use saifu_vault::JOURNAL_FILE;
use saifu_wire::PhoneNumber;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::halt::Halt;
use super::line::{DriverAnswer, Request};
use super::verbs;

/// A persona's phone.
pub(super) struct Phone {
    name: String,
    pub(super) number: PhoneNumber,
    /// The wallet's files are in its folder `vault`; the keys are where the driver puts them.
    folder: PathBuf,
    /// `None` while it is killed, or when it never opened.
    driver: Option<Driver>,
    /// Whether its wallet follows the issuer's events.
    pub(super) follows: bool,
}

struct Driver {
    process: Child,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    asked: u64,
}

impl Phone {
    /// One that is switched off. `folder` is the persona's, which need not be there.
    pub(super) fn new(name: &str, number: &PhoneNumber, folder: PathBuf) -> Self {
        Self { name: name.to_owned(), number: number.clone(), folder, driver: None, follows: false }
    }

    pub(super) fn is_open(&self) -> bool {
        self.driver.is_some()
    }

    /// Starts a driver and has it open the wallet. A wallet that does not open leaves the phone off.
    pub(super) async fn open(&mut self, command: Option<&str>, issuer: &Value, clock: &Value) -> Result<Value, Halt> {
        if self.is_open() {
            return Err(Halt::Broken(format!("the wallet of {} is open", self.name)));
        }
        self.driver = Some(self.start(command)?);
        let opened = self.ask("wallet.open", json!({ "folder": self.folder, "issuer": issuer, "clock": clock })).await;
        if opened.is_err() {
            self.kill().await?;
        }
        opened
    }

    fn start(&self, command: Option<&str>) -> Result<Driver, Halt> {
        let broken = |error: std::io::Error| Halt::Broken(format!("the driver of {}: {error}", self.name));
        std::fs::create_dir_all(&self.folder).map_err(broken)?;
        let log = std::fs::File::options().create(true).append(true).open(self.log()).map_err(broken)?;
        let mut driver = match command {
            Some(command) => shell(command),
            None => {
                let mut own = Command::new(std::env::current_exe().map_err(broken)?);
                own.args(["scenario", "driver"]);
                own
            }
        };
        // A group of its own, so that a kill meets whatever the command started.
        #[cfg(unix)]
        driver.process_group(0);
        driver.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut process = driver.spawn().map_err(broken)?;
        let (Some(requests), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(Halt::Broken("a driver without pipes".into()));
        };
        Ok(Driver { process, requests, answers: BufReader::new(answers).lines(), asked: 0 })
    }

    /// What the driver answers. Only what stands in the table of a driver's verbs is ever asked.
    pub(super) async fn ask(&mut self, verb: &str, arguments: Value) -> Result<Value, Halt> {
        if verbs::driver(verb).is_none() {
            return Err(Halt::Broken(format!("no driver knows {verb}")));
        }
        let name = self.name.clone();
        let Some(driver) = self.driver.as_mut() else {
            return Err(Halt::Broken(format!("the wallet of {name} is not open; reopen it first")));
        };
        driver.asked = driver.asked.saturating_add(1);
        let id = driver.asked;
        let request = Request { id, verb: verb.to_owned(), who: name, arguments };
        let answer = driver.exchange(&request).await.map_err(Halt::Broken);
        match answer {
            Ok(Some(line)) => match serde_json::from_str::<DriverAnswer>(&line) {
                Ok(answer) if answer.id == id => answer.end.into_result(),
                _ => Err(Halt::Broken(format!("the driver answered {verb} with {line}"))),
            },
            Ok(None) => {
                Err(Halt::Broken(format!("the driver ended by itself; what it said is in {}", self.log().display())))
            }
            Err(halt) => Err(halt),
        }
    }

    /// Ends the driver as a phone ends an app: SIGKILL, without a word.
    pub(super) async fn kill(&mut self) -> Result<(), Halt> {
        self.follows = false;
        let Some(mut driver) = self.driver.take() else {
            return Err(Halt::Broken(format!("the wallet of {} is not open", self.name)));
        };
        let broken = |error: std::io::Error| Halt::Broken(format!("the driver of {}: {error}", self.name));
        #[cfg(unix)]
        if let Some(group) =
            driver.process.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw)
        {
            // It may be gone already.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        driver.process.kill().await.map_err(broken)?;
        // The pipe ends when the last process that held it has: then the wallet's folder is free.
        while let Ok(Some(_)) = driver.answers.next_line().await {}
        Ok(())
    }

    /// Lets the driver end by itself: its stdin has come to an end.
    pub(super) async fn close(mut self) {
        if let Some(Driver { mut process, requests, .. }) = self.driver.take() {
            drop(requests);
            let _ = process.wait().await;
        }
    }

    /// Flips all bits of the byte in the middle of the journal.
    pub(super) fn damage(&self) -> Result<Value, Halt> {
        if self.is_open() {
            return Err(Halt::Broken("this wallet is open; kill it first".into()));
        }
        let broken = |error: std::io::Error| Halt::Broken(format!("the journal: {error}"));
        let file = self.folder.join("vault").join(JOURNAL_FILE);
        let mut bytes = std::fs::read(&file).map_err(broken)?;
        let middle = bytes.len() / 2;
        let byte = bytes.get_mut(middle).ok_or_else(|| Halt::Broken("the journal is empty".into()))?;
        *byte = !*byte;
        std::fs::write(&file, bytes).map_err(broken)?;
        Ok(json!({ "file": JOURNAL_FILE }))
    }

    /// Where the driver's stderr goes.
    fn log(&self) -> PathBuf {
        self.folder.join("driver.log")
    }
}

impl Driver {
    /// The next line after this request; none if the driver has ended.
    async fn exchange(&mut self, request: &Request) -> Result<Option<String>, String> {
        let mut line = serde_json::to_vec(request).map_err(|error| error.to_string())?;
        line.push(b'\n');
        // A driver that has ended is seen where its answer is missing.
        let _ = self.requests.write_all(&line).await;
        let _ = self.requests.flush().await;
        self.answers.next_line().await.map_err(|error| format!("the driver's stdout: {error}"))
    }
}

/// A command line as a person types it.
fn shell(line: &str) -> Command {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut command = Command::new(shell);
    command.args([flag, line]);
    command
}
