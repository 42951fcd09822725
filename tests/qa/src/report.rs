//! What a command has to say at its end, once for programs and once for people.

use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::{Failure, LocalCode, Status};

/// The result of a command. [`Printer::report`](crate::printer::Printer::report) writes one of its two forms.
#[derive(Debug)]
pub(crate) struct Report {
    document: Option<Value>,
    drawing: String,
    text: String,
    exit: u8,
}

impl Report {
    /// A document, and the same in words.
    pub(crate) fn new(document: impl Serialize, text: impl Into<String>) -> Result<Self, Failure> {
        let document =
            serde_json::to_value(document).map_err(|error| LocalCode::Bug.detail(format!("the document: {error}")))?;
        Ok(Self { document: Some(document), drawing: String::new(), text: text.into(), exit: Status::Done.number() })
    }

    /// The command has written everything by itself.
    pub(crate) fn silent() -> Self {
        Self { document: None, drawing: String::new(), text: String::new(), exit: Status::Done.number() }
    }

    /// The same, with something drawn above the words, colours included.
    pub(crate) fn with_drawing(self, drawing: String) -> Self {
        Self { drawing, ..self }
    }

    /// The same, ending otherwise.
    pub(crate) fn with_status(self, status: Status) -> Self {
        self.with_exit(status.number())
    }

    /// The same, ending as another program did.
    pub(crate) fn with_exit(self, exit: u8) -> Self {
        Self { exit, ..self }
    }

    /// What the process returns.
    pub(crate) fn exit(&self) -> u8 {
        self.exit
    }

    pub(crate) fn document(&self) -> Option<&Value> {
        self.document.as_ref()
    }

    pub(crate) fn drawing(&self) -> &str {
        &self.drawing
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// A document with one more field.
pub(crate) fn with(mut document: Value, name: &str, value: impl Serialize) -> Value {
    if let Some(fields) = document.as_object_mut() {
        fields.insert(name.to_owned(), json!(value));
    }
    document
}
