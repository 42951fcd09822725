use bytes::Bytes;
use http::{Request, header};
use saifu_wire::{Operation, Problem, ProblemCode};
use serde::de::DeserializeOwned;

use super::MAX_BODY;

/// Whether the request has the outer form that its operation takes.
pub(super) fn check(operation: Operation, request: &Request<Bytes>) -> Result<(), Problem> {
    if request.body().len() > MAX_BODY {
        return Err(ProblemCode::TooLarge.into());
    }
    if request.uri().query().is_some() && operation != Operation::History {
        return Err(invalid("no query belongs here"));
    }
    if operation.method() == "GET" {
        return if request.body().is_empty() { Ok(()) } else { Err(invalid("no body belongs here")) };
    }
    let mut types = request.headers().get_all(header::CONTENT_TYPE).iter();
    match (types.next().and_then(|value| value.to_str().ok()), types.next()) {
        (Some(media_type), None) if is_json(media_type) => Ok(()),
        _ => Err(ProblemCode::UnsupportedMediaType.into()),
    }
}

fn is_json(media_type: &str) -> bool {
    let (media_type, parameter) = media_type.split_once(';').unwrap_or((media_type, "charset=utf-8"));
    media_type.trim().eq_ignore_ascii_case("application/json") && parameter.trim().eq_ignore_ascii_case("charset=utf-8")
}

/// Reads a body. What is wrong is said by the field's name and the kind of mistake, never by its value: a body may hold
/// anything, and refusals are shown and logged.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| invalid(&explain(&error.path().to_string(), error.inner())))?;
    reader.end().map_err(|_| invalid("there is something after the JSON"))?;
    Ok(value)
}

/// Reads a query, in the same manner.
pub(super) fn read_query<T: DeserializeOwned>(uri: &http::Uri) -> Result<T, Problem> {
    axum::extract::Query::<T>::try_from_uri(uri).map(|query| query.0).map_err(|_| invalid("the query"))
}

/// A malformed request.
pub(super) fn invalid(detail: &str) -> Problem {
    Problem::new(ProblemCode::InvalidRequest).detail(detail)
}

fn explain(path: &str, error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    if error.classify() != Category::Data {
        return "the body is not JSON".into();
    }
    let text = error.to_string();
    let between = |text: &str| text.split('`').nth(1).map(str::to_owned);
    let (field, what) = if text.starts_with("missing field") {
        (between(&text).unwrap_or_default(), "is missing")
    } else if text.starts_with("duplicate field") {
        (between(&text).unwrap_or_default(), "is there twice")
    } else if text.starts_with("unknown field") {
        (between(&text).unwrap_or_default(), "does not belong here")
    } else {
        (path.to_owned(), "is not what belongs there")
    };
    // A name that the caller made up is repeated only where it looks like one of ours.
    let is_name =
        (1..=32).contains(&field.len()) && field.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_name { format!("`{field}` {what}") } else { format!("a field {what}") }
}

#[cfg(test)]
mod tests {
    use saifu_wire::messages::{SettleRequest, SignUpConfirmRequest};

    use super::*;

    fn detail<T: DeserializeOwned>(body: &str) -> String {
        read::<T>(body.as_bytes()).err().unwrap().detail.unwrap()
    }

    #[test]
    fn refusal_names_the_field_and_the_mistake() {
        let fine = r#"{"txid":"t-1","digits":"1","yen":5}"#;
        assert!(read::<SettleRequest>(fine.as_bytes()).is_ok());
        for (body, expected) in [
            (r#"{"txid":"t-1","digits":"1"}"#, "`yen` is missing"),
            (r#"{"txid":"t-1","digits":"1","yen":5,"yen":6}"#, "`yen` is there twice"),
            (r#"{"txid":"t-1","digits":"1","yen":5,"tip":6}"#, "`tip` does not belong here"),
            (r#"{"txid":"t-1","digits":"1","yen":"5"}"#, "`yen` is not what belongs there"),
            (r#"{"txid":"t-1","digits":"1","yen":5e0}"#, "`yen` is not what belongs there"),
            (r#"{"txid":"no name","digits":"1","yen":5}"#, "`txid` is not what belongs there"),
            (r#"{"txid":"t-1","digits":"1","yen":5}{}"#, "there is something after the JSON"),
            (r#"{"txid":"#, "the body is not JSON"),
            ("", "the body is not JSON"),
            ("[1]", "`txid` is missing"),
        ] {
            let given = detail::<SettleRequest>(body);
            if body == "[1]" {
                assert_eq!(given, "a field is not what belongs there");
            } else {
                assert_eq!(given, expected, "{body}");
            }
        }
    }

    #[test]
    fn refusal_repeats_no_value() {
        for body in [
            r#"{"request":"123456","code":"123456","signature":"AA"}"#,
            r#"{"request":"00000000-0000-0000-0000-000000000000","code":123456,"signature":"AA"}"#,
            r#"{"request":"00000000-0000-0000-0000-000000000000","code":"12 3456","signature":"AA"}"#,
            r#"{"123456":1}"#,
        ] {
            let given = detail::<SignUpConfirmRequest>(body);
            assert!(!given.contains("3456"), "{given}");
        }
    }

    #[test]
    fn only_json_in_utf_8_is_json() {
        for fine in ["application/json", "Application/JSON; charset=utf-8", "application/json;charset=UTF-8"] {
            assert!(is_json(fine), "{fine}");
        }
        for bad in ["text/plain", "application/jsonp", "application/json; charset=utf-16", "", "application/json; q=1"]
        {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
