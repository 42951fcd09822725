//! The demo's story. The owner signs up; a thief with number and SMS code gets nothing; cash becomes balance at an ATM; a
//! till that sees nothing but a picture is paid; the wallet, killed and without an issuer, still knows its balance.

use std::path::Path;

use saifu::{Notice, NoticeKind, Yen};
use saifu_code::{PaymentDigits, code128, qr};
use serde::Deserialize;
use serde_json::Value;

use super::Stage;
use super::child::{Runner, Running};
use crate::commands::wallet::FOLLOWING;
use crate::failure::{Failure, LocalCode};
use crate::peers::Sms;
use crate::picture::{bars, in_groups, square};

const NUMBER: &str = "090-1234-5678";
const TOP_UP: i64 = 5_000;
const PRICE: i64 = 1_280;
const LEFT: Yen = Yen(TOP_UP - PRICE);

pub(super) struct Flow {
    saifu: Runner,
    picture: String,
}

#[derive(Deserialize)]
struct Home {
    balance_yen: Option<Yen>,
    notices: Vec<Notice>,
}

#[derive(Deserialize)]
struct Inbox {
    messages: Vec<Sms>,
}

/// A text of a document.
fn text<'a>(document: &'a Value, name: &str) -> Result<&'a str, Failure> {
    document.get(name).and_then(Value::as_str).ok_or_else(|| failed(format!("no `{name}` in {document}")))
}

fn failed(what: impl Into<String>) -> Failure {
    LocalCode::StepFailed.detail(what)
}

impl Flow {
    pub(super) fn new(folder: &Path) -> Result<Self, Failure> {
        let picture = folder.join("code.png").to_string_lossy().into_owned();
        Ok(Self { saifu: Runner::new(folder)?, picture })
    }

    /// Plays it; the balance at the end, as the last wallet shows it.
    pub(super) async fn play(&self, stage: &mut Stage<'_>) -> Result<Yen, Failure> {
        let sandbox = stage.step("the sandbox issuer starts", self.start_sandbox()).await?;
        stage.step("sign-up, step 1: the phone number", self.ask_for_code("me")).await?;
        stage.step("sign-up, step 2: the SMS code; ready to pay", self.enter_code()).await?;
        stage.step("a thief has the number and its SMS code: refused", self.robbery()).await?;
        stage.step("the owner is told, in the app and by SMS", self.owner_is_told()).await?;
        let top_up = stage.step("top-up of ¥5,000: approved, a number for the ATM", self.approve()).await?;
        stage.step("the ATM takes number, TOTP code and cash", self.deposit(top_up)).await?;
        let code = stage.step("the wallet shows a payment code", self.show_code()).await?;
        draw(stage, &code)?;
        let mut follower = stage.step("the wallet follows its events", self.follow()).await?;
        stage.step("a till that sees only the picture settles ¥1,280", self.pay()).await?;
        let told = stage.step("the new balance arrives by itself", arrival(&mut follower)).await?;
        stage.say(&format!("               balance {told}"))?;
        stage.step("the wallet is killed, the issuer too", kill(follower, sandbox)).await?;
        stage.step("the wallet opens again without the issuer", self.without_issuer()).await
    }

    async fn start_sandbox(&self) -> Result<Running, Failure> {
        let mut sandbox = self.saifu.start(&["sandbox", "--port", "0"])?;
        sandbox.next().await?;
        Ok(sandbox)
    }

    async fn ask_for_code(&self, wallet: &str) -> Result<Value, Failure> {
        self.saifu.run(&["wallet", "signup", "--number", NUMBER, "--wallet", wallet]).await?.done()
    }

    async fn inbox(&self) -> Result<Vec<Sms>, Failure> {
        let inbox: Inbox = self.saifu.run(&["sandbox", "sms", "--number", NUMBER]).await?.done()?;
        Ok(inbox.messages)
    }

    async fn sms_code(&self) -> Result<String, Failure> {
        let newest = self.inbox().await?.into_iter().rev().find_map(|sms| sms.code);
        newest.ok_or_else(|| failed("no SMS with a code arrived"))
    }

    async fn enter_code(&self) -> Result<Value, Failure> {
        let code = self.sms_code().await?;
        self.saifu.run(&["wallet", "confirm", "--code", &code]).await?.done()
    }

    /// The incident's robbery: everything that can be known or read, on another phone.
    async fn robbery(&self) -> Result<(), Failure> {
        // The issuer sends one code a minute to a number.
        self.saifu.run(&["sandbox", "clock", "+2m"]).await?.done::<Value>()?;
        self.ask_for_code("thief").await?;
        let code = self.sms_code().await?;
        let thief = |words: &[&str]| {
            let words: Vec<String> = words.iter().chain(&["--wallet", "thief"]).map(ToString::to_string).collect();
            async move { self.saifu.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).await }
        };
        thief(&["wallet", "confirm", "--code", &code]).await?.refused(3, "number-taken")?;
        thief(&["wallet", "code"]).await?.refused(2, "not-signed-up")?;
        thief(&["wallet", "topup", "atm", "--yen", "10000", "--yes"]).await?.refused(2, "not-signed-up")
    }

    async fn owner_is_told(&self) -> Result<(), Failure> {
        let home: Home = self.saifu.run(&["wallet", "refresh"]).await?.done()?;
        if !home.notices.iter().any(|notice| notice.kind == NoticeKind::Security) {
            return Err(failed("the home screen shows no security notice"));
        }
        let messages = self.inbox().await?;
        match messages.last() {
            Some(sms) if sms.code.is_none() => Ok(()),
            _ => Err(failed("no SMS told the owner")),
        }
    }

    async fn approve(&self) -> Result<Value, Failure> {
        self.saifu.run(&["wallet", "topup", "atm", "--yen", &TOP_UP.to_string(), "--yes"]).await?.done()
    }

    async fn deposit(&self, top_up: Value) -> Result<Value, Failure> {
        let totp: Value = self.saifu.run(&["wallet", "totp"]).await?.done()?;
        let yen = TOP_UP.to_string();
        let (number, totp) = (text(&top_up, "number")?, text(&totp, "code")?);
        let words = ["atm", "deposit", "--number", number, "--totp", totp, "--yen", &yen];
        self.saifu.run(&words).await?.done()
    }

    async fn show_code(&self) -> Result<Value, Failure> {
        self.saifu.run(&["wallet", "code", "--out", &self.picture]).await?.done()
    }

    async fn follow(&self) -> Result<Running, Failure> {
        let mut follower = self.saifu.start(&["wallet", "events", "--follow"])?;
        follower.says(FOLLOWING).await?;
        Ok(follower)
    }

    async fn pay(&self) -> Result<Value, Failure> {
        self.saifu.run(&["register", "scan", "--image", &self.picture, "--yen", &PRICE.to_string()]).await?.done()
    }

    async fn without_issuer(&self) -> Result<Yen, Failure> {
        self.saifu.run(&["wallet", "refresh"]).await?.refused(4, "stale-sandbox")?;
        let home: Home = self.saifu.run(&["wallet", "home"]).await?.done()?;
        match home.balance_yen {
            Some(LEFT) => Ok(LEFT),
            other => Err(failed(format!("the home screen shows {other:?} instead of {LEFT}"))),
        }
    }
}

/// Waits for the payment; notices may come before it.
async fn arrival(follower: &mut Running) -> Result<Yen, Failure> {
    loop {
        let event = follower.next().await?;
        if event.pointer("/entry/kind").and_then(Value::as_str) != Some("payment") {
            continue;
        }
        return match event.get("balance_yen").and_then(Value::as_i64).map(Yen) {
            Some(LEFT) => Ok(LEFT),
            other => Err(failed(format!("the event says {other:?} instead of {LEFT}"))),
        };
    }
}

async fn kill(follower: Running, sandbox: Running) -> Result<(), Failure> {
    follower.kill().await?;
    sandbox.kill().await
}

fn draw(stage: &mut Stage<'_>, code: &Value) -> Result<(), Failure> {
    let wrong = || failed("the code is malformed");
    let digits = PaymentDigits::parse(text(code, "digits")?).map_err(|_| wrong())?;
    let lines = code128::encode(digits.as_str()).map_err(|_| wrong())?;
    let matrix = qr::encode(digits.as_str()).map_err(|_| wrong())?;
    stage.say("")?;
    stage.draw(&bars(&lines))?;
    stage.say("")?;
    stage.draw(&square(&matrix))?;
    stage.say(&format!("{}\n", in_groups(digits.as_str())))
}
