//! Which intents are being sent at this moment. Sending one and asking what became of it exclude each other: a question that
//! overtook the request on another connection would give the owner's approval up.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use saifu_wire::IntentKey;

#[derive(Clone, Default)]
pub(crate) struct Sending(Arc<Mutex<HashSet<IntentKey>>>);

/// Held while an intent is on its way. However that ends, it is over then.
pub(crate) struct OnItsWay {
    sending: Sending,
    key: IntentKey,
}

impl Sending {
    fn keys(&self) -> MutexGuard<'_, HashSet<IntentKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From before it is in the journal, where a question would find it.
    pub(crate) fn begin(&self, key: IntentKey) -> OnItsWay {
        self.keys().insert(key);
        OnItsWay { sending: self.clone(), key }
    }

    pub(crate) fn has(&self, key: IntentKey) -> bool {
        self.keys().contains(&key)
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.sending.keys().remove(&self.key);
    }
}
