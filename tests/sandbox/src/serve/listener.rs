use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::faults::Cut;

/// Open connections of one listener. More wait until one closes.
const MAX_CONNECTIONS: usize = 1_024;
/// How long a TLS handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long a request's head may take, the wait for it included.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// How often a silent HTTP/2 connection is asked whether anybody is there, and how long the answer may take.
const PING: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// Requests at a time on one HTTP/2 connection.
const MAX_STREAMS: u32 = 64;
/// The longest head, in bytes.
const MAX_HEAD: usize = 32 * 1024;
/// How long requests that are being answered may take when the sandbox stops.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// Accepts connections until told to stop, then lets those that are open finish.
pub(super) async fn run(listener: TcpListener, tls: Option<TlsAcceptor>, app: Router, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = told(&mut stop) => break,
            _ = connections.join_next(), if !connections.is_empty() => continue,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, place)) = accepted else { continue };
        let (tls, app, stop) = (tls.clone(), app.clone(), stop.clone());
        connections.spawn(async move {
            let _place = place;
            serve(stream, tls, app, stop).await;
        });
    }
    drop(listener);
    let all_done = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(LAST_ANSWERS, all_done).await;
}

/// Waits until told to stop.
pub(super) async fn told(stop: &mut watch::Receiver<bool>) {
    // Whoever could tell being gone counts as told.
    drop(stop.wait_for(|stop| *stop).await);
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            // Out of file handles, or a connection that died while it waited: both pass.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, app: Router, stop: watch::Receiver<bool>) {
    // Answers are small; waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    match tls {
        None => converse(stream, false, app, stop).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
                let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                converse(stream, http2, app, stop).await;
            }
        }
    }
}

/// Answers requests until either side has enough, or a fault cuts the connection: then nothing more is said, not even
/// goodbye.
async fn converse<S>(stream: S, http2: bool, app: Router, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // The version is what TLS agreed on; guessing it from the first bytes would wait for them without an end.
    builder = if http2 { builder.http2_only() } else { builder.http1_only() };
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING.0)
        .keep_alive_timeout(PING.1)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX));
    let cut = Arc::new(Notify::new());
    let app = cutting(app, &cut);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    tokio::pin!(connection);
    let served = async {
        // How a connection ends is the other side's business.
        tokio::select! {
            _ = connection.as_mut() => {}
            () = told(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    };
    tokio::select! {
        () = served => {}
        () = cut.notified() => {}
    }
}

/// Keeps an answer that is none from being sent, and tells.
fn cutting(app: Router, cut: &Arc<Notify>) -> Router {
    let cut = Arc::clone(cut);
    app.layer(middleware::from_fn(move |request: Request, next: Next| {
        let cut = Arc::clone(&cut);
        async move {
            let response = next.run(request).await;
            if response.extensions().get::<Cut>().is_some() {
                cut.notify_one();
                std::future::pending::<()>().await;
            }
            response
        }
    }))
}
