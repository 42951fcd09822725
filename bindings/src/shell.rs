//! One opened wallet as all its objects share it. Closing takes the core's wallet out, so that the folder is free at once,
//! whenever the other language gets round to collecting the objects.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::WalletError;
use crate::live::{Token, WALLETS};

/// An approval's place; empty once it was used or its wallet closed.
pub(crate) type ApprovalSlot = Mutex<Option<saifu::Approval>>;

pub(crate) struct Shell {
    wallet: Mutex<Option<saifu::Wallet>>,
    /// Everything that runs for this wallet.
    tasks: TaskTracker,
    /// Approvals hold the wallet too.
    approvals: Mutex<Vec<Weak<ApprovalSlot>>>,
    closing: CancellationToken,
    _live: Token,
}

impl Shell {
    pub(crate) fn new(wallet: saifu::Wallet) -> Self {
        Self {
            wallet: Mutex::new(Some(wallet)),
            tasks: TaskTracker::new(),
            approvals: Mutex::default(),
            closing: CancellationToken::new(),
            _live: WALLETS.token(),
        }
    }

    /// The core's wallet.
    pub(crate) fn wallet(&self) -> Result<saifu::Wallet, WalletError> {
        self.wallet.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(WalletError::closed)
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Cancelled once the wallet closes.
    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.closing
    }

    /// Keeps an approval where closing finds it.
    pub(crate) fn keep(&self, approval: saifu::Approval) -> Arc<ApprovalSlot> {
        let slot = Arc::new(Mutex::new(Some(approval)));
        let mut approvals = self.approvals.lock().unwrap_or_else(PoisonError::into_inner);
        approvals.retain(|slot| slot.strong_count() > 0);
        approvals.push(Arc::downgrade(&slot));
        slot
    }

    /// Ends everything and lets go of the folder. Calls that have begun end first.
    pub(crate) async fn close(&self) {
        let wallet = self.wallet.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        // Only now: a call that was under way may have made one.
        let slots = std::mem::take(&mut *self.approvals.lock().unwrap_or_else(PoisonError::into_inner));
        for slot in slots.iter().filter_map(Weak::upgrade) {
            drop(slot.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
        if let Some(wallet) = wallet {
            wallet.close().await;
        }
    }
}
