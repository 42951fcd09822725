//! The control API of a running sandbox: plain HTTP on loopback. It blocks its thread, so that whatever is no future may ask too;
//! a test whose issuer is in its own process gives the runtime a second thread.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use http::{HeaderMap, HeaderName};
use saifu_sandbox::SandboxInfo;
use saifu_wire::PhoneNumber;
use serde_json::Value;

use crate::Answer;

/// Asks; an issuer may die meanwhile.
pub fn ask(info: &SandboxInfo, method: &str, path: &str, body: impl Into<Option<Value>>) -> io::Result<Answer> {
    let address = info.lever_url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address)?;
    let body = body.into().map(|body| body.to_string()).unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        info.lever_token,
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, text) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    let mut headers = HeaderMap::new();
    for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
        headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    Ok(Answer { status, headers, text: text.to_owned() })
}

/// The newest code that was sent to a number.
pub fn sms_code(info: &SandboxInfo, number: &PhoneNumber) -> String {
    let path = format!("/sms?number={}", number.as_str().replace('+', "%2B"));
    let inbox: Value = ask(info, "GET", &path, None).unwrap().ok();
    let mut codes = inbox["messages"].as_array().into_iter().flatten().filter_map(|message| message["code"].as_str());
    codes.next_back().unwrap_or_else(|| panic!("no code for {number:?}: {inbox}")).to_owned()
}
