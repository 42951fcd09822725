//! The event stream (server-sent events, HTML Living Standard §9.2.6), as much of it as the issuer writes: `id`, `data`,
//! comments. Read by hand because the parsers at hand buffer without a bound; this one stops at 64 KiB an event.

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
            if let Some(data) = self.parser.next_data()? {
                return serde_json::from_str(&data).map(Some).map_err(|_| LinkError::Untrusted("malformed event"));
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.parser.push(&chunk),
                Ok(None) => return Ok(None),
                Err(_) => return Err(LinkError::NoAnswer),
            }
        }
    }
}

#[derive(Default)]
struct Parser {
    buffer: Vec<u8>,
    data: String,
}

impl Parser {
    const MAX: usize = 64 * 1024;

    fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The data of the next complete event, lines joined.
    fn next_data(&mut self) -> Result<Option<String>, LinkError> {
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            let line = String::from_utf8(line).map_err(|_| LinkError::Untrusted("an event is not UTF-8"))?;
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                if !self.data.is_empty() {
                    return Ok(Some(std::mem::take(&mut self.data)));
                }
            } else if let Some(data) = line.strip_prefix("data:") {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            }
            self.bounded()?;
        }
        self.bounded()?;
        Ok(None)
    }

    fn bounded(&self) -> Result<(), LinkError> {
        if self.buffer.len().max(self.data.len()) > Self::MAX {
            return Err(LinkError::Untrusted("an event is too long"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(chunks: &[&str]) -> Vec<String> {
        let mut parser = Parser::default();
        let mut found = Vec::new();
        for chunk in chunks {
            parser.push(chunk.as_bytes());
            while let Some(data) = parser.next_data().unwrap() {
                found.push(data);
            }
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
    fn endless_event_is_refused() {
        let mut parser = Parser::default();
        parser.push(&vec![b'a'; 70_000]);
        assert!(parser.next_data().is_err());
    }
}
