//! The only place that writes to stdout and stderr. Stdout carries the result, in words or as one JSON document; everything
//! else goes to stderr. What others wrote is escaped in words.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use crate::failure::Failure;
use crate::report::Report;
use crate::words::shown_lines;

/// Where results, notes and questions go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    json: bool,
    quiet: bool,
    colour: bool,
}

impl Printer {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { json, quiet, colour: !no_color }
    }

    /// Whether programs read the result.
    pub(crate) fn json(self) -> bool {
        self.json
    }

    /// Whether progress and remarks are not wanted.
    pub(crate) fn quiet(self) -> bool {
        self.quiet
    }

    /// Whether stdout is a screen that may be drawn on.
    pub(crate) fn draws(self) -> bool {
        !self.json && io::stdout().is_terminal()
    }

    /// Columns and rows of the screen; what is no screen has as many as are wanted.
    pub(crate) fn room(self) -> (usize, usize) {
        let size = if self.draws() { crossterm::terminal::size().ok() } else { None };
        size.map_or((usize::MAX, usize::MAX), |(columns, rows)| (columns.into(), rows.into()))
    }

    /// Whether stdout may carry colours.
    pub(crate) fn colours(self) -> bool {
        self.colour && self.draws()
    }

    /// The result.
    pub(crate) fn report(self, report: &Report) -> Result<(), Failure> {
        match report.document() {
            Some(document) if self.json => self.line(document),
            Some(_) => {
                self.raw(report.drawing().as_bytes())?;
                if report.text().is_empty() { Ok(()) } else { self.text(report.text()) }
            }
            _ => Ok(()),
        }
    }

    /// One JSON document on a line of its own.
    pub(crate) fn line(self, document: &impl Serialize) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, document).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    }

    /// Words on stdout. Nothing of ours has control characters in words, so whatever has some is somebody else's.
    pub(crate) fn text(self, text: &str) -> Result<(), Failure> {
        let text = shown_lines(text);
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        Ok(out.flush()?)
    }

    /// Bytes on stdout exactly as they are: drawings and completions.
    pub(crate) fn raw(self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        Ok(out.flush()?)
    }

    /// Progress and remarks, on stderr; nothing with `--quiet`.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// What must be read before a question is answered, on stderr.
    pub(crate) fn say(self, text: &str) {
        to_stderr(&shown_lines(text));
    }

    /// Why it failed: for people on stderr, and for programs on stdout too.
    pub(crate) fn failure(self, failure: &Failure) {
        if failure.status() == crate::failure::Status::Done {
            return;
        }
        if self.json {
            let _ = self.line(&serde_json::json!({ "error": failure }));
        }
        let red = self.colour && io::stderr().is_terminal();
        let (on, off) = if red { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        to_stderr(&format!("{on}error:{off} {}", shown_lines(&failure.text())));
    }
}

fn to_stderr(text: &str) {
    // There is nowhere left to report that stderr is closed.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
