use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use futures_util::StreamExt as _;
use http::{Request, Response, StatusCode};
use saifu_wire::Listener;

use crate::issuer::{MAX_BODY, Shared, stream};

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// The routes of an API listener: every request goes to the issuer, which knows its operations.
pub(super) fn router(issuer: Shared, listener: Listener) -> Router {
    Router::new()
        .fallback(move |State(issuer): State<Shared>, request| answer(issuer, listener, request))
        .with_state(issuer)
}

async fn answer(issuer: Shared, listener: Listener, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = tokio::time::timeout(BODY_TIME, read(body)).await else {
        return plain(StatusCode::REQUEST_TIMEOUT);
    };
    let Some(body) = body else { return plain(StatusCode::BAD_REQUEST) };
    let now = issuer.now();
    // A request that was read is handled to its end, whether or not its asker still waits.
    let (request, handler) = (Request::from_parts(parts, body), Arc::clone(&issuer));
    let handled = tokio::spawn(async move { handler.respond(now, listener, request).await });
    let Ok((response, subscription)) = handled.await else { return plain(StatusCode::INTERNAL_SERVER_ERROR) };
    let (parts, whole) = response.into_parts();
    let body = match subscription {
        Some(subscription) => Body::from_stream(stream(issuer, subscription)),
        None => Body::from(whole),
    };
    Response::from_parts(parts, body)
}

/// The body, or a little more than the issuer takes; `None` when the connection broke.
async fn read(body: Body) -> Option<bytes::Bytes> {
    let mut chunks = body.into_data_stream();
    let mut all = bytes::BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        all.extend_from_slice(&chunk.ok()?);
        if all.len() > MAX_BODY {
            break;
        }
    }
    Some(all.freeze())
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
