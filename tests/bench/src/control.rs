//! The one thing that a customer cannot ask the issuer for: the SMS that was sent to a number.

use saifu_sandbox::SandboxInfo;
use saifu_wire::{PhoneNumber, Sensitive};
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Result;

#[derive(Deserialize)]
struct Inbox {
    messages: Vec<Sms>,
}

#[derive(Deserialize)]
struct Sms {
    code: Option<Sensitive>,
}

/// The newest code that was sent to a number.
pub(crate) async fn sms_code(info: &SandboxInfo, number: &PhoneNumber) -> Result<Sensitive> {
    let address = info.lever_url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "GET /sms?number={} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        number.as_str().replace('+', "%2B"),
        info.lever_token
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the control API's answer has no end of its head")?;
    if !head.starts_with("HTTP/1.1 200") {
        return Err(format!("the control API answered: {head}").into());
    }
    let inbox: Inbox = serde_json::from_str(body)?;
    inbox.messages.into_iter().filter_map(|sms| sms.code).next_back().ok_or_else(|| "no code was sent".into())
}
