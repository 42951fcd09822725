//! What the issuer tells of itself: a log that repeats, that names and hides what it must, and a reason for every try.

use saifu_rig::terminal::scan;
use saifu_rig::{Issuer, Phone, With, control};
use saifu_wire::messages::{CodeAnswer, Outcome, SettleAnswer};
use saifu_wire::{Amount, Operation, headers};
use serde_json::Value;

async fn lines(scene: &Issuer, query: &str) -> Vec<Value> {
    let answer = scene.control("GET", &format!("/log{query}"), None);
    answer["lines"].as_array().unwrap().clone()
}

async fn explained(scene: &Issuer, id: &str) -> Value {
    scene.control("GET", &format!("/explain/{id}"), None)
}

async fn seeded() -> Issuer {
    Issuer::here(|options| options.seed = Some(7)).await
}

struct Life {
    phone: Phone,
    code: CodeAnswer,
    intent: String,
    number: String,
    paid: SettleAnswer,
}

/// Sign-up, cash, a payment, and one that is too much.
async fn live(scene: &Issuer) -> Life {
    let phone = scene.phone("090-5000-4321").await;
    let top_up = phone.cash_in(&scene.info, 4_000).await;
    let till = scene.terminal("register-1");
    let code = phone.code().await;
    let paid: SettleAnswer = till.ask(Operation::Settle, &scan("sale-1", &code.digits, 700)).await.ok();
    assert_eq!(paid.result, Outcome::Approved);
    let over: SettleAnswer = till.ask(Operation::Settle, &scan("sale-2", &phone.code().await.digits, 3_301)).await.ok();
    assert_eq!(over.result, Outcome::Declined);
    let (intent, number) = (top_up.intent.to_string(), top_up.number.unwrap().expose().to_owned());
    Life { phone, code, intent, number, paid }
}

/// Without the times of a clock that runs.
fn timeless(mut lines: Vec<Value>) -> String {
    for line in &mut lines {
        line.as_object_mut().unwrap().remove("at").unwrap();
    }
    serde_json::to_string_pretty(&lines).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn same_seed_and_commands_give_the_same_log() {
    let (first, second) = (seeded().await, seeded().await);
    live(&first).await;
    live(&second).await;
    let (one, other) = (timeless(lines(&first, "").await), timeless(lines(&second, "").await));
    assert!(one.contains("\"settlement-2\"") && one.contains("account.balance_yen"), "{one}");
    assert_eq!(one, other);
}

#[tokio::test(flavor = "multi_thread")]
async fn log_names_who_what_and_why_and_holds_no_secret() {
    let scene = Issuer::start().await;
    let life = live(&scene).await;
    let all = lines(&scene, "").await;
    let numbers: Vec<u64> = all.iter().map(|line| line["number"].as_u64().unwrap()).collect();
    assert!(numbers.iter().zip(1..).all(|(number, expected)| *number == expected), "{numbers:?}");

    let refused = lines(&scene, "?refused=true&terminal=register-1").await;
    let over = refused.iter().find(|line| line["operation"] == "settle" && line["result"] == "declined").unwrap();
    assert_eq!(
        (&over["account"], &over["reason"], &over["decided_by"]),
        (
            &"account-1".into(),
            &"insufficient-balance".into(),
            &serde_json::json!({"rule": "account.balance_yen", "limit": 3300, "seen": 3301, "ok": false})
        )
    );
    let account = life.phone.binding.account.to_string();
    let by_id = lines(&scene, &format!("?account={account}")).await;
    assert_eq!(by_id, lines(&scene, "?account=account-1").await);
    let order: Vec<u64> = by_id.iter().map(|line| line["of_account"].as_u64().unwrap()).collect();
    assert_eq!(order, (1..=u64::try_from(order.len()).unwrap()).collect::<Vec<_>>());
    let paid = by_id.iter().find(|line| line["postings"][0]["amount"] == 700).unwrap();
    assert_eq!(
        (&paid["postings"][0]["from"], &paid["postings"][0]["to"]),
        (&"account-1".into(), &"merchant:shop-1".into())
    );
    let after = format!("?after={}", numbers.len() - 1);
    assert_eq!(lines(&scene, &after).await.len(), 1);

    let text = serde_json::to_string(&all).unwrap();
    for secret in [
        life.phone.sms_code.as_str(),
        life.code.digits.expose(),
        &life.number,
        life.phone.token(),
        "9050004321",
        &account,
        &life.intent,
        "sale-1",
    ] {
        let leaked = text.contains(&format!("\"{secret}")) || (secret.len() > 8 && text.contains(secret));
        assert!(!leaked, "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn try_is_explained_by_transaction_intent_settlement_name_and_trace() {
    let scene = Issuer::start().await;
    let life = live(&scene).await;

    let over = explained(&scene, "sale-2").await;
    assert_eq!((&over["what"], &over["decided_by"]), (&"settle".into(), &"account.balance_yen".into()));
    let rules: Vec<&str> = over["rules"].as_array().unwrap().iter().map(|it| it["rule"].as_str().unwrap()).collect();
    assert_eq!(rules.first(), Some(&"code.purpose"));
    assert_eq!(rules.last(), Some(&"account.balance_yen"));
    assert!(rules.contains(&"pay.hour_yen"), "{rules:?}");

    let paid = explained(&scene, "sale-1").await;
    assert_eq!((&paid["decided_by"], &paid["postings"][0]["amount"]), (&Value::Null, &700.into()));
    let settlement = life.paid.settlement.unwrap().to_string();
    assert_eq!(explained(&scene, &settlement).await, paid);
    let line = lines(&scene, "?terminal=register-1").await.into_iter().find(|line| line["result"] == "approved");
    let line = line.unwrap();
    assert_eq!(explained(&scene, line["settlement"].as_str().unwrap()).await, paid);

    let intent = explained(&scene, &life.intent).await;
    let story: Vec<&Value> = intent["earlier"].as_array().unwrap().iter().map(|it| &it["what"]).collect();
    assert_eq!(
        (&intent["what"], story),
        (&"atm-deposit".into(), vec![&Value::from("atm-authorize"), &"top-up".into()])
    );

    // Refused in a transaction that left nothing behind: the reason stays all the same.
    let (key, mut request) = life.phone.approve(1_000).await;
    request.yen = Amount::new(1_001).unwrap();
    assert_eq!(life.phone.top_up(key, &request).await.status, 403);
    let refused = explained(&scene, &key.to_string()).await;
    assert_eq!((&refused["decided_by"], &refused["code"]), (&"request.signature".into(), &"invalid-signature".into()));

    // A request that moves nothing is known by its trace.
    let traced = vec![(headers::TRACE, "tap-1".to_owned())];
    let with = With { headers: traced, ..life.phone.with() };
    let answer = life.phone.peer.send_with(Operation::Code, b"{}", &with).await;
    assert_eq!(answer.status, 400);
    assert_eq!(explained(&scene, "tap-1").await["decided_by"], "request.form");
    assert_eq!(control::ask(&scene.info, "GET", "/explain/never-heard", None).unwrap().status, 404);
}
