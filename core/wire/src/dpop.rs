//! Proof of possession for each request (RFC 9449): a JWS over method, address and nonce, by a key that the request names.
//!
//! Beyond the RFC: ES256 only; `bd`, a private claim, is the SHA-256 of the body and required; the nonce is required and
//! carries the freshness, so a phone with a wrong clock still gets in (`iat` is written, never judged). The wallet's link
//! and the registers [`build`] proofs, the issuer [`verify`](Proof::read)s them. Written by hand because the JWT crates
//! bring a second cryptographic library or skip the RFC's refusals; checked against the RFC's own proofs and RFC 7638's
//! thumbprint.

use data_encoding::BASE64URL_NOPAD;
use saifu_crypto::{CryptoError, KeyPair, PublicKey, constant_time_eq, sha256};

/// What a proof is about.
#[derive(Clone, Copy)]
pub struct Claims<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// Address without query and fragment (§4.2).
    pub uri: &'a str,
    /// The body; empty where there is none.
    pub body: &'a [u8],
    /// The issuer's nonce, once there is one (§8).
    pub nonce: Option<&'a str>,
    /// The access token that goes along (§4.2, `ath`).
    pub access_token: Option<&'a str>,
}

/// Why a proof is refused. Which check failed is for the issuer's log, not for the asker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DpopError {
    /// Not a DPoP proof at all.
    #[error("malformed proof")]
    Malformed,
    /// The signature does not verify under the proof's own key.
    #[error("signature does not verify")]
    Signature,
    /// Another method, address, body or token than the request's.
    #[error("the proof is about another {0}")]
    Mismatch(&'static str),
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwk {
    crv: String,
    kty: String,
    x: String,
    y: String,
}

#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    typ: String,
    alg: String,
    jwk: Jwk,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Payload {
    jti: String,
    htm: String,
    htu: String,
    iat: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bd: Option<String>,
}

fn encoded_hash(data: &[u8]) -> String {
    BASE64URL_NOPAD.encode(&sha256(data))
}

fn jwk(key: &PublicKey) -> Jwk {
    let (x, y) = key.coordinates();
    Jwk { crv: "P-256".into(), kty: "EC".into(), x: BASE64URL_NOPAD.encode(x), y: BASE64URL_NOPAD.encode(y) }
}

/// The JWK thumbprint of a key (RFC 7638 §3, SHA-256), base64url: 43 characters. Names a session key.
#[must_use]
pub fn thumbprint(key: &PublicKey) -> String {
    let Jwk { crv, kty, x, y } = jwk(key);
    members_thumbprint(&[("crv", &crv), ("kty", &kty), ("x", &x), ("y", &y)])
}

/// `members` are the required ones, in lexicographic order; their values need no escaping.
fn members_thumbprint(members: &[(&str, &str)]) -> String {
    let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
    encoded_hash(format!("{{{}}}", members.join(",")).as_bytes())
}

/// A proof by `key` for one request. `jti` is at least 96 random bits, `issued_at` seconds since 1970.
///
/// # Errors
/// [`CryptoError`] when the system gives no randomness for the signature.
pub fn build(key: &KeyPair, claims: &Claims<'_>, jti: [u8; 16], issued_at: u64) -> Result<String, CryptoError> {
    let header = Header { typ: "dpop+jwt".into(), alg: "ES256".into(), jwk: jwk(key.public_key()) };
    let payload = Payload {
        jti: BASE64URL_NOPAD.encode(&jti),
        htm: claims.method.into(),
        htu: claims.uri.into(),
        iat: issued_at,
        ath: claims.access_token.map(|token| encoded_hash(token.as_bytes())),
        nonce: claims.nonce.map(Into::into),
        bd: Some(encoded_hash(claims.body)),
    };
    let part = |json: serde_json::Result<Vec<u8>>| json.map(|bytes| BASE64URL_NOPAD.encode(&bytes));
    let (Ok(header), Ok(payload)) = (part(serde_json::to_vec(&header)), part(serde_json::to_vec(&payload))) else {
        return Err(CryptoError::Unavailable);
    };
    let signature = key.sign_fixed(format!("{header}.{payload}").as_bytes())?;
    Ok(format!("{header}.{payload}.{}", BASE64URL_NOPAD.encode(&signature)))
}

/// A proof whose signature verified; what it is about is still to be [`check`](Self::check)ed.
#[derive(Debug)]
pub struct Proof {
    /// The key that signed.
    pub key: PublicKey,
    /// Its [`thumbprint`].
    pub thumbprint: String,
    /// The proof's own id: seen twice, it is a replay.
    pub jti: String,
    /// The issuer's nonce.
    pub nonce: Option<String>,
    payload: Payload,
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.htm, self.htu)
    }
}

impl Proof {
    /// The longest proof that is looked at, in bytes.
    pub const MAX: usize = 2_048;

    /// Reads a proof and verifies its signature (§4.3, steps 2 to 7).
    ///
    /// # Errors
    /// [`DpopError::Malformed`] or [`DpopError::Signature`].
    pub fn read(text: &str) -> Result<Self, DpopError> {
        if text.len() > Self::MAX {
            return Err(DpopError::Malformed);
        }
        let malformed = |_| DpopError::Malformed;
        let (signed, signature) = text.rsplit_once('.').ok_or(DpopError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(DpopError::Malformed)?;
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| DpopError::Malformed);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(malformed)?;
        let payload: Payload = serde_json::from_slice(&decode(payload)?).map_err(malformed)?;
        let fits = header.typ == "dpop+jwt"
            && header.alg == "ES256"
            && header.jwk.kty == "EC"
            && header.jwk.crv == "P-256"
            && (16..=128).contains(&payload.jti.len());
        if !fits {
            return Err(DpopError::Malformed);
        }
        let key = PublicKey::from_coordinates(&decode(&header.jwk.x)?, &decode(&header.jwk.y)?)
            .map_err(|_| DpopError::Malformed)?;
        key.verify_fixed(signed.as_bytes(), &decode(signature)?).map_err(|_| DpopError::Signature)?;
        let (jti, nonce) = (payload.jti.clone(), payload.nonce.clone());
        Ok(Self { thumbprint: thumbprint(&key), key, jti, nonce, payload })
    }

    /// Whether the proof is about this very request (§4.3, steps 8 to 12). The nonce's freshness and the replay of `jti`
    /// are the issuer's to judge.
    ///
    /// # Errors
    /// [`DpopError::Mismatch`].
    pub fn check(&self, request: &Claims<'_>) -> Result<(), DpopError> {
        let hash_fits = |claim: &Option<String>, data: Option<&[u8]>| match (claim, data) {
            (Some(claim), Some(data)) => constant_time_eq(claim.as_bytes(), encoded_hash(data).as_bytes()),
            (None, None) => true,
            _ => false,
        };
        if self.payload.htm != request.method {
            return Err(DpopError::Mismatch("method"));
        }
        if self.payload.htu != request.uri {
            return Err(DpopError::Mismatch("address"));
        }
        if !hash_fits(&self.payload.bd, Some(request.body)) {
            return Err(DpopError::Mismatch("body"));
        }
        if !hash_fits(&self.payload.ath, request.access_token.map(str::as_bytes)) {
            return Err(DpopError::Mismatch("token"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "https://issuer.example/v1/home";
    const REQUEST: Claims<'_> =
        Claims { method: "GET", uri: URI, body: b"", nonce: Some("n-1"), access_token: Some("t") };

    fn proof(claims: &Claims<'_>) -> String {
        build(&KeyPair::generate().unwrap(), claims, [7; 16], 1_700_000_000).unwrap()
    }

    #[test]
    fn proof_fits_its_request_and_no_other() {
        let proof = Proof::read(&proof(&REQUEST)).unwrap();
        proof.check(&REQUEST).unwrap();
        let other = |change: fn(&mut Claims<'static>)| {
            let mut claims = REQUEST;
            change(&mut claims);
            proof.check(&claims)
        };
        assert_eq!(other(|c| c.method = "POST"), Err(DpopError::Mismatch("method")));
        assert_eq!(other(|c| c.uri = "https://issuer.example/v1/history"), Err(DpopError::Mismatch("address")));
        assert_eq!(other(|c| c.body = b"{}"), Err(DpopError::Mismatch("body")));
        assert_eq!(other(|c| c.access_token = Some("u")), Err(DpopError::Mismatch("token")));
        assert_eq!(other(|c| c.access_token = None), Err(DpopError::Mismatch("token")));
    }

    #[test]
    fn every_changed_character_is_refused() {
        let text = proof(&REQUEST);
        for index in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            assert!(Proof::read(std::str::from_utf8(&bytes).unwrap()).is_err(), "character {index}");
        }
    }

    #[test]
    fn header_with_private_key_other_algorithm_or_extension_is_refused() {
        let text = proof(&REQUEST);
        let (header, rest) = text.split_once('.').unwrap();
        let header = String::from_utf8(BASE64URL_NOPAD.decode(header.as_bytes()).unwrap()).unwrap();
        for (from, to) in [
            ("\"crv\"", "\"d\":\"AA\",\"crv\""),
            ("ES256", "none"),
            ("ES256", "HS256"),
            ("dpop+jwt", "JWT"),
            ("\"typ\"", "\"crit\":[\"x\"],\"typ\""),
            ("\"alg\"", "\"alg\":\"ES256\",\"alg\""),
        ] {
            let changed = header.replacen(from, to, 1);
            assert_ne!(changed, header);
            let text = format!("{}.{rest}", BASE64URL_NOPAD.encode(changed.as_bytes()));
            assert_eq!(Proof::read(&text).err(), Some(DpopError::Malformed), "{to}");
        }
    }

    /// RFC 7638 §3.1.
    #[test]
    fn thumbprint_of_the_rfc_key() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj\
                 hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5\
                 hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        assert_eq!(
            members_thumbprint(&[("e", "AQAB"), ("kty", "RSA"), ("n", n)]),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    /// RFC 9449 §4.1 (figure 2), §6.1 (the key's thumbprint in `cnf`) and §7.1 (figure 12, with `ath`).
    #[test]
    fn proofs_of_the_rfc_verify() {
        let header = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0R\
                      scEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19";
        let proof = Proof::read(&format!(
            "{header}.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2Vu\
             IiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
        ))
        .unwrap();
        assert_eq!(proof.thumbprint, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        assert_eq!((proof.jti.as_str(), proof.payload.htm.as_str()), ("-BwC3ESc6acc2lTc", "POST"));
        let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
        assert_eq!(encoded_hash(token.as_bytes()), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[A-Za-z0-9_.{}\":-]{0,300}") {
            let _ = Proof::read(&text);
        }
    }
}
