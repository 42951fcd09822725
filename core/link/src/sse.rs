//! The event stream (server-sent events, HTML Living Standard §9.2.6), as much of it as the issuer writes: `id`, `data`,
//! comments. Read by hand because the parsers at hand buffer without a bound; this one stops at 64 KiB an event.

use std::collections::VecDeque;

use reqwest::Response;
use saifu_wire::messages::Event;
use saifu_wire::{Era, headers};

use crate::LinkError;

/// What happens to the account, as it happens. Ends when the issuer closes it or the network breaks; then the wallet asks
/// for what it missed and opens another.
pub struct EventStream {
    response: Response,
    parser: Parser,
    era: Option<Era>,
}

impl EventStream {
    pub(crate) fn new(response: Response) -> Self {
        let era = response.headers().get(headers::ERA).and_then(|value| value.to_str().ok()?.parse().ok());
        Self { response, parser: Parser::default(), era }
    }

    /// The era that the numbers of these events count in; `None` where the issuer does not say.
    #[must_use]
    pub fn era(&self) -> Option<&Era> {
        self.era.as_ref()
    }

    /// The next event; `None` at the end of the stream.
    ///
    /// # Errors
    /// [`LinkError::NoAnswer`] when the network broke, [`LinkError::Untrusted`] for an event that makes no sense.
    pub async fn next(&mut self) -> Result<Option<Event>, LinkError> {
        loop {
            if let Some(data) = self.parser.ready.pop_front() {
                return serde_json::from_str(&data).map(Some).map_err(|_| LinkError::Untrusted("malformed event"));
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.parser.push(&chunk)?,
                Ok(None) => return Ok(None),
                Err(_) => return Err(LinkError::NoAnswer),
            }
        }
    }
}

/// Keeps what has not ended yet, a line and the lines of data before it, and never more than [`MAX`](Self::MAX) of each.
#[derive(Default)]
struct Parser {
    line: Vec<u8>,
    data: String,
    /// The data of complete events, lines joined.
    ready: VecDeque<String>,
}

impl Parser {
    const MAX: usize = 64 * 1024;

    fn push(&mut self, chunk: &[u8]) -> Result<(), LinkError> {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            bounded(self.line.len(), piece.len())?;
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.end_line()?;
            }
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), LinkError> {
        let line = std::str::from_utf8(&self.line).map_err(|_| LinkError::Untrusted("an event is not UTF-8"))?;
        let line = line.trim_end_matches(['\n', '\r']);
        if line.is_empty() {
            if !self.data.is_empty() {
                self.ready.push_back(std::mem::take(&mut self.data));
            }
        } else if let Some(data) = line.strip_prefix("data:") {
            bounded(self.data.len(), data.len())?;
            if !self.data.is_empty() {
                self.data.push('\n');
            }
            self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
        }
        self.line.clear();
        Ok(())
    }
}

fn bounded(kept: usize, more: usize) -> Result<(), LinkError> {
    if kept.saturating_add(more) > Parser::MAX { Err(LinkError::Untrusted("an event is too long")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(chunks: &[&str]) -> Vec<String> {
        let mut parser = Parser::default();
        let mut found = Vec::new();
        for chunk in chunks {
            parser.push(chunk.as_bytes()).unwrap();
            found.extend(parser.ready.drain(..));
        }
        found
    }

    #[test]
    fn events_are_found_wherever_the_chunks_break() {
        let text = ": hello\n\nid: 1\nevent: x\ndata: {\"a\":\ndata: 1}\n\r\nid:2\r\ndata:b\r\n\r\ndata: unfinished";
        assert_eq!(all(&[text]), ["{\"a\":\n1}", "b"]);
        for cut in 1..text.len() {
            let (left, right) = text.split_at(cut);
            assert_eq!(all(&[left, right]), ["{\"a\":\n1}", "b"], "cut at {cut}");
        }
    }

    #[test]
    fn endless_event_is_refused_before_it_is_kept() {
        let huge = vec![b'a'; 1024 * 1024];
        let mut parser = Parser::default();
        assert!(parser.push(&huge).is_err());
        assert!(parser.line.capacity() <= Parser::MAX && parser.data.is_empty());
        // In lines, each of them short.
        let mut parser = Parser::default();
        let lines = "data: abcdefgh\n".repeat(100_000);
        assert!(parser.push(lines.as_bytes()).is_err());
        assert!(parser.data.len() <= Parser::MAX);
    }

    #[test]
    fn many_events_of_one_chunk_are_all_found() {
        let chunk = "data: 0123456789\n\n".repeat(10_000);
        assert_eq!(all(&[&chunk]).len(), 10_000);
    }
}
