//! What a command has to say at its end, once for programs and once for people.

use serde::Serialize;

use crate::failure::{Failure, LocalCode, Status};

/// The result of a command. [`Printer::report`](crate::printer::Printer::report) writes one of its two forms.
#[derive(Debug)]
pub(crate) struct Report {
    document: Option<serde_json::Value>,
    text: String,
    status: Status,
}

impl Report {
    /// A document, and the same in words.
    pub(crate) fn new(document: &impl Serialize, text: impl Into<String>) -> Result<Self, Failure> {
        let document =
            serde_json::to_value(document).map_err(|error| LocalCode::Bug.detail(format!("the document: {error}")))?;
        Ok(Self { document: Some(document), text: text.into(), status: Status::Done })
    }

    /// The command has written everything by itself.
    pub(crate) fn silent() -> Self {
        Self { document: None, text: String::new(), status: Status::Done }
    }

    /// The same, ending otherwise.
    pub(crate) fn with_status(self, status: Status) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn status(&self) -> Status {
        self.status
    }

    pub(crate) fn document(&self) -> Option<&serde_json::Value> {
        self.document.as_ref()
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}
