//! Customers with a balance and codes to pay with, all of it through the API.

use saifu_crypto::KeyPair;
use saifu_rig::{Peer, Phone};
use saifu_wire::Sensitive;
use tokio::task::JoinSet;

use super::Scene;
use crate::Result;

/// Customers that are prepared at a time.
const AT_ONCE: u32 = 32;

/// Codes of `count` customers, `payments` of each, with a balance for all of them at `yen` each. Codes of one customer
/// are spread over the whole list, as tills would see them.
pub(super) async fn prepare(scene: &Scene, count: u32, payments: u32, yen: i64) -> Result<Vec<Sensitive>> {
    let mut workers = JoinSet::new();
    for worker in 0..AT_ONCE {
        let scene = scene.clone();
        workers.spawn(async move {
            let atm = scene.terminal("atm-1");
            let mut codes = Vec::new();
            for number in (worker..count).step_by(usize::try_from(AT_ONCE)?) {
                codes.extend(customer(&scene, &atm, number, payments, yen).await?.into_iter().zip(0_u32..));
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(codes)
        });
    }
    let mut codes = Vec::new();
    while let Some(done) = workers.join_next().await {
        codes.extend(done??);
    }
    codes.sort_by_key(|(_, nth)| *nth);
    Ok(codes.into_iter().map(|(code, _)| code).collect())
}

async fn customer(scene: &Scene, atm: &Peer, number: u32, payments: u32, yen: i64) -> Result<Vec<Sensitive>> {
    let number = format!("090{:08}", number.saturating_add(10_000_000));
    let phone = Phone::sign_up_as(scene.peer(KeyPair::generate()?), &scene.info, &number).await;
    phone.cash_in_at(atm, yen.saturating_mul(payments.into())).await;
    let mut codes = Vec::new();
    for _ in 0..payments {
        codes.push(phone.code().await.digits);
    }
    Ok(codes)
}
