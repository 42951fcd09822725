use http::{HeaderMap, HeaderValue};
use saifu_crypto::KeyPair;
use saifu_wire::dpop::{build, thumbprint};
use saifu_wire::{AccountId, DeviceId};
use uuid::Uuid;

use super::*;

const NOW: Millis = Millis(1_700_000_000_000);
const URI: &str = "https://127.0.0.1:1/v1/codes";
const BODY: &[u8] = br#"{"purpose":"pay"}"#;

/// A customer with a live session, and what a thief recorded of one request.
struct Scene {
    auth: Auth,
    key: KeyPair,
    token: String,
}

impl Scene {
    fn new(without: Option<Defence>) -> Self {
        let mut auth = Auth::new().unwrap();
        auth.without = without;
        let key = KeyPair::generate().unwrap();
        let binding =
            Binding { account: AccountId(Uuid::from_u128(1)), device: DeviceId(Uuid::from_u128(2)), epoch: 1 };
        let (_, token) = auth.open(NOW, binding, &thumbprint(key.public_key())).unwrap();
        Self { auth, key, token: token.text.expose().to_owned() }
    }

    fn proof(&self, key: &KeyPair, change: impl FnOnce(&mut Claims<'_>)) -> HeaderMap {
        let nonce = self.auth.nonce(NOW);
        let mut claims =
            Claims { method: "POST", uri: URI, body: BODY, nonce: Some(&nonce), access_token: Some(&self.token) };
        change(&mut claims);
        let jti = SystemRandom.bytes().unwrap();
        let proof = build(key, &claims, jti, NOW.seconds()).unwrap();
        headers(&[("dpop", &proof), ("authorization", &format!("DPoP {}", self.token))])
    }

    fn honest(&self) -> HeaderMap {
        self.proof(&self.key, |_| {})
    }

    fn check_at(&self, now: Millis, headers: &HeaderMap) -> Result<Caller, ProblemCode> {
        let asked = ProvenRequest { operation: Operation::Code, uri: URI, headers, body: BODY };
        self.auth.check(now, &asked).map_err(|denied| denied.code)
    }

    fn check(&self, headers: &HeaderMap) -> Result<Caller, ProblemCode> {
        self.check_at(NOW, headers)
    }
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

#[test]
fn customer_with_token_and_proof_is_known() {
    let scene = Scene::new(None);
    assert!(matches!(scene.check(&scene.honest()), Ok(Caller::Customer { .. })));
}

#[test]
fn replayed_proof_is_refused_and_the_control_lets_it_pass() {
    for (without, refused) in [(None, true), (Some(Defence::ReplayMemory), false)] {
        let scene = Scene::new(without);
        let recorded = scene.honest();
        scene.check(&recorded).unwrap();
        let again = scene.check_at(NOW.plus(30_000), &recorded);
        assert_eq!(again.err(), refused.then_some(ProblemCode::InvalidDpopProof), "{without:?}");
    }
}

#[test]
fn proof_with_old_or_no_nonce_is_refused_and_the_control_lets_it_pass() {
    for (without, refused) in [(None, true), (Some(Defence::FreshNonce), false)] {
        let expected = refused.then_some(ProblemCode::UseDpopNonce);
        let scene = Scene::new(without);
        assert_eq!(scene.check_at(NOW.plus(120_000), &scene.honest()).err(), expected);
        let none = scene.proof(&scene.key, |claims| claims.nonce = None);
        assert_eq!(scene.check(&none).err(), expected);
        let foreign = Auth::new().unwrap().nonce(NOW);
        let jti = SystemRandom.bytes().unwrap();
        let claims =
            Claims { method: "POST", uri: URI, body: BODY, nonce: Some(&foreign), access_token: Some(&scene.token) };
        let proof = build(&scene.key, &claims, jti, 0).unwrap();
        let foreign = headers(&[("dpop", &proof), ("authorization", &format!("DPoP {}", scene.token))]);
        assert_eq!(scene.check(&foreign).err(), expected);
    }
}

#[test]
fn proof_about_another_request_is_refused_and_the_control_lets_it_pass() {
    type Change = fn(&mut Claims<'_>);
    let changes: [(&str, Change); 5] = [
        ("method", |claims| claims.method = "GET"),
        ("address", |claims| claims.uri = "https://127.0.0.1:1/v1/top-ups"),
        ("origin", |claims| claims.uri = "https://127.0.0.1:2/v1/codes"),
        ("body", |claims| claims.body = br#"{"purpose":"cash-in"}"#),
        ("token", |claims| claims.access_token = Some("another")),
    ];
    for (without, refused) in [(None, true), (Some(Defence::RequestBinding), false)] {
        for (what, change) in changes {
            let scene = Scene::new(without);
            let result = scene.check(&scene.proof(&scene.key, change));
            assert_eq!(result.err(), refused.then_some(ProblemCode::InvalidDpopProof), "{what} {without:?}");
        }
    }
}

#[test]
fn stolen_token_is_refused_with_another_key_and_passes_with_its_own() {
    let scene = Scene::new(None);
    let thief = KeyPair::generate().unwrap();
    assert_eq!(scene.check(&scene.proof(&thief, |_| {})).err(), Some(ProblemCode::InvalidToken));
    scene.check(&scene.honest()).unwrap();
}

#[test]
fn token_that_is_expired_or_unknown_is_refused() {
    let scene = Scene::new(None);
    let late = NOW.plus(300_000);
    let nonce = scene.auth.nonce(late);
    let with = |token: &str| {
        let claims = Claims { method: "POST", uri: URI, body: BODY, nonce: Some(&nonce), access_token: Some(token) };
        let proof = build(&scene.key, &claims, SystemRandom.bytes().unwrap(), 0).unwrap();
        headers(&[("dpop", &proof), ("authorization", &format!("DPoP {token}"))])
    };
    assert_eq!(scene.check_at(late, &with(&scene.token)).err(), Some(ProblemCode::InvalidToken));
    assert_eq!(scene.check_at(late, &with("made-up")).err(), Some(ProblemCode::InvalidToken));
}

#[test]
fn bound_token_as_bearer_or_beside_another_is_refused() {
    let scene = Scene::new(None);
    for scheme in ["Bearer", "Basic", ""] {
        let mut headers = scene.honest();
        headers.insert("authorization", HeaderValue::from_str(&format!("{scheme} {}", scene.token)).unwrap());
        assert_eq!(scene.check(&headers).err(), Some(ProblemCode::InvalidToken), "{scheme}");
    }
    let mut headers = scene.honest();
    headers.append("authorization", HeaderValue::from_static("DPoP other"));
    assert_eq!(scene.check(&headers).err(), Some(ProblemCode::InvalidToken));
    headers.remove("authorization");
    assert_eq!(scene.check(&headers).err(), Some(ProblemCode::InvalidToken));
}

#[test]
fn two_proofs_are_as_bad_as_none() {
    let scene = Scene::new(None);
    let mut headers = scene.honest();
    let second = scene.honest().remove("dpop").unwrap();
    headers.append("dpop", second);
    assert_eq!(scene.check(&headers).err(), Some(ProblemCode::InvalidDpopProof));
    headers.remove("dpop");
    assert_eq!(scene.check(&headers).err(), Some(ProblemCode::InvalidDpopProof));
}

#[test]
fn token_where_none_belongs_is_refused() {
    let scene = Scene::new(None);
    let headers = scene.honest();
    for operation in [Operation::SignUp, Operation::Session, Operation::Token, Operation::Settle] {
        let asked = ProvenRequest { operation, uri: URI, headers: &headers, body: BODY };
        assert_eq!(scene.auth.check(NOW, &asked).unwrap_err().code, ProblemCode::InvalidToken);
    }
}

#[test]
fn every_operation_but_the_public_document_asks_for_a_proof() {
    let auth = Auth::new().unwrap();
    for operation in Operation::ALL {
        let asked = ProvenRequest { operation: *operation, uri: URI, headers: &HeaderMap::new(), body: b"" };
        let open = auth.check(NOW, &asked).is_ok();
        assert_eq!(open, *operation == Operation::ServiceDocument, "{}", operation.name());
    }
}
