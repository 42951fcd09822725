//! The connections to the API. A device that is forgotten leaves them behind: what was last sent stands in their buffers, the
//! access token too.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;

use crate::{LinkError, pins};

/// How long a connection may take. Two do not fit into the time of a till, so what cannot connect in it says so.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The issuer sends a comment every 15 s; twice that and a bit without a byte means that the stream is dead.
const STREAM_TIMEOUT: Duration = Duration::from_secs(40);

pub(crate) struct Connections {
    config: ClientConfig,
    current: Mutex<reqwest::Client>,
}

impl Connections {
    pub(crate) fn new(config: ClientConfig) -> Result<Self, LinkError> {
        let current = Mutex::new(fresh(&config)?);
        Ok(Self { config, current })
    }

    /// The client for the next request.
    pub(crate) fn client(&self) -> reqwest::Client {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on, requests go over new connections. What still runs over the old ones, goes on.
    pub(crate) fn leave(&self) {
        if let Ok(fresh) = fresh(&self.config) {
            *self.current.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
    }
}

fn fresh(config: &ClientConfig) -> Result<reqwest::Client, LinkError> {
    let client = pins::client(config).connect_timeout(CONNECT_TIMEOUT).read_timeout(STREAM_TIMEOUT);
    client.build().map_err(|_| LinkError::System)
}
