//! Whom the link believes: the pinned key under the right authority on a day when its certificate is valid.

use saifu_link::{IssuerConfig, LinkError};
use saifu_wire::Operation;
use serde_json::json;

use crate::scripted::{Answer, Authority, Issuer, NOW_MS, ask_alone, link};

const YEAR_MS: u64 = 365 * 24 * 3_600_000;

async fn issuer() -> Issuer {
    Issuer::start((2026, 2028), |_| async { Answer::Ok(json!({})) }).await
}

#[tokio::test]
async fn wrong_date_is_told_as_such_and_only_of_the_pinned_key() {
    let (issuer, stranger) = (issuer().await, Issuer::start((2026, 2028), |_| async { Answer::Never }).await);
    for wrong in [NOW_MS + 10 * YEAR_MS, NOW_MS - 10 * YEAR_MS, 0, u64::MAX / 4] {
        let error = ask_alone(&link(issuer.config(), wrong).0).await.unwrap_err();
        assert!(matches!(error, LinkError::WrongClock) && error.certain(), "{wrong}: {error:?}");
        // The date is wrong as well, and it is not the issuer: another key, or another authority.
        let other_key = IssuerConfig { pins: vec![[7; 32]], ..issuer.config() };
        let other_authority = IssuerConfig { roots: stranger.config().roots, ..issuer.config() };
        for config in [other_key, other_authority] {
            let error = ask_alone(&link(config, wrong).0).await.unwrap_err();
            assert!(matches!(error, LinkError::Untrusted(_)), "{wrong}: {error:?}");
        }
    }
    // The control: on the right day it is talked to, also by a clock that is put right meanwhile.
    let (link, clock) = link(issuer.config(), NOW_MS - 10 * YEAR_MS);
    assert!(ask_alone(&link).await.is_err());
    clock.set_wall(NOW_MS);
    ask_alone(&link).await.unwrap();
}

#[tokio::test]
async fn service_document_has_pins_of_its_own_and_no_other_key_serves_it() {
    let authority = Authority::new();
    let api = Issuer::under(&authority, (2026, 2028), |_| async { Answer::Ok(json!({})) }).await;
    let service = Issuer::under(&authority, (2026, 2028), |_| async { Answer::Ok(json!({})) }).await;
    let config =
        || IssuerConfig { service: service.url.parse().unwrap(), service_pins: vec![service.pin], ..api.config() };
    let document = async |config| link(config, NOW_MS).0.service_document(0).await.unwrap_err();
    // The control: it is let in as far as its (malformed) answer.
    let read = document(config()).await;
    assert!(matches!(read, LinkError::Untrusted("a malformed answer")), "{read:?}");
    assert_eq!(service.count(Operation::ServiceDocument), 1);
    let refused = "its certificate is not the pinned one";
    let by_the_api = document(IssuerConfig { service_pins: vec![api.pin], ..config() }).await;
    assert!(matches!(by_the_api, LinkError::Untrusted(what) if what == refused), "{by_the_api:?}");
    let api_by_the_service = IssuerConfig { pins: vec![service.pin], ..config() };
    let error = ask_alone(&link(api_by_the_service, NOW_MS).0).await.unwrap_err();
    assert!(matches!(error, LinkError::Untrusted(what) if what == refused), "{error:?}");
    ask_alone(&link(config(), NOW_MS).0).await.unwrap();
}
