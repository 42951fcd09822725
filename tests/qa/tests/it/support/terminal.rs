//! A person at a terminal: a shell behind a pseudo-terminal of 80 columns and 24 rows, which is where people meet `saifu`.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};

/// Far more than anything takes.
const BOUND: Duration = Duration::from_secs(120);
/// What the shell says once everything before it has run.
const SIGN: &str = "@@@";

/// A shell with nothing of the caller's, whose home is a folder of the test's. Killed at the end.
pub(crate) struct Terminal {
    pty: Arc<Pty>,
    shell: Child,
    shown: Arc<Mutex<String>>,
    /// What was looked at before.
    seen: usize,
}

impl Terminal {
    pub(crate) fn open(home: &Path) -> Self {
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(24, 80)).unwrap();
        let saifu = Path::new(env!("CARGO_BIN_EXE_saifu")).parent().unwrap();
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", saifu.display());
        let shell = Command::new("bash").args(["--norc", "--noprofile", "-i"]).env_clear().current_dir(home);
        let shell = shell.envs([("PATH", path.as_str()), ("TERM", "xterm-256color"), ("PS1", "$ ")]).env("HOME", home);
        let shell = shell.spawn(pts).unwrap();
        let (pty, shown) = (Arc::new(pty), Arc::<Mutex<String>>::default());
        let (reader, written) = (Arc::clone(&pty), Arc::clone(&shown));
        std::thread::spawn(move || {
            let (mut bytes, mut buffer) = (Vec::new(), [0; 4_096]);
            // The end of the shell is an error of the pseudo-terminal.
            while let Ok(read @ 1..) = (&*reader).read(&mut buffer) {
                bytes.extend_from_slice(&buffer[..read]);
                *written.lock().unwrap() = String::from_utf8_lossy(&bytes).into_owned();
            }
        });
        Self { pty, shell, shown, seen: 0 }
    }

    /// What somebody types, or pastes.
    pub(crate) fn paste(&mut self, text: &str) {
        (&*self.pty).write_all(text.as_bytes()).unwrap();
    }

    /// What was shown since the last look, once this is in it.
    #[track_caller]
    pub(crate) fn until(&mut self, sign: &str) -> String {
        let started = Instant::now();
        loop {
            let shown = self.shown.lock().unwrap().clone();
            let fresh = shown.get(self.seen..).unwrap_or_default();
            if let Some((before, _)) = fresh.split_once(sign) {
                let text = format!("{before}{sign}");
                self.seen = self.seen.saturating_add(text.len());
                return text;
            }
            assert!(started.elapsed() < BOUND, "never `{sign}`: {fresh}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Pastes lines, and gives what is shown until all of them have run.
    #[track_caller]
    pub(crate) fn run(&mut self, lines: &str) -> String {
        // The sign is put together by the shell: the echo of what is typed must not be taken for it.
        self.paste(&format!("{lines}echo @@''@\n"));
        self.until(SIGN)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// Without colours and movements of the cursor, as lines.
pub(crate) fn plain(shown: &str) -> String {
    let mut out = String::new();
    let mut chars = shown.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' if chars.next_if_eq(&'[').is_some() => {
                // A control sequence (ECMA-48 §5.4) ends with a byte from @ to ~.
                chars.by_ref().find(|c| ('@'..='~').contains(c));
            }
            '\r' => {}
            c => out.push(c),
        }
    }
    out
}
