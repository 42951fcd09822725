//! The home screen, from the journal alone, and how it is brought up to date.

use saifu_link::{Auth, Request};
use saifu_policy::Class;
use saifu_wire::messages::IntentOperation;
use saifu_wire::messages::{Home as IssuerHome, Notice, ResolveAnswer, ResolveRequest, Resolved, Standing, TopUpState};
use saifu_wire::{DeviceId, IntentKey, Millis, Open, Operation, Points, Yen};

use crate::state::{Intent, State};
use crate::wallet::Inner;
use crate::{Error, Wallet};

/// How far this wallet has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalletState {
    /// Nobody has signed up here.
    NoAccount,
    /// An SMS code is awaited; over when the code is dead.
    SigningUp,
    /// An account is here.
    Ready,
    /// The wallet is locked: what is in it is not known until it is unlocked.
    Locked,
}

impl WalletState {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoAccount => "no-account",
            Self::SigningUp => "signing-up",
            Self::Ready => "ready",
            Self::Locked => "locked",
        }
    }
}

/// What the home screen shows. Figures that are not known are `None` with a reason, never 0.
#[derive(Debug, Clone)]
pub struct Home {
    /// How far this wallet has come.
    pub state: WalletState,
    /// This device, once there is one.
    pub device: Option<DeviceId>,
    /// Which limits apply.
    pub standing: Option<Open<Standing>>,
    /// What can be spent, as of `as_of`.
    pub balance_yen: Option<Yen>,
    /// Why the balance is not known.
    pub balance_reason: Option<&'static str>,
    /// When the issuer said so.
    pub as_of: Option<Millis>,
    /// How old that is, in milliseconds, by the issuer's clock.
    pub age_ms: Option<u64>,
    /// Loyalty points.
    pub points: Option<Points>,
    /// Whether the account is frozen.
    pub frozen: bool,
    /// What may still be topped up today.
    pub top_up_left_yen: Option<Yen>,
    /// What may still be paid today.
    pub pay_left_yen: Option<Yen>,
    /// The newest notices, newest first.
    pub notices: Vec<Notice>,
    /// The newest event the wallet knows.
    pub last_event: u64,
}

fn picture(state: &State, now: Millis) -> Home {
    let wallet_state = match (&state.account, state.awaiting_code(now)) {
        (Some(_), _) => WalletState::Ready,
        (None, Some(_)) => WalletState::SigningUp,
        (None, None) => WalletState::NoAccount,
    };
    let home = state.home.as_ref();
    Home {
        state: wallet_state,
        device: state.account.as_ref().map(|account| account.binding.device),
        standing: home.map(|home| home.standing.clone()),
        balance_yen: home.map(|home| home.balance_yen),
        balance_reason: match (home, wallet_state) {
            (Some(_), _) => None,
            (None, WalletState::Ready) => Some("the issuer has not been reached yet"),
            (None, _) => Some("there is no account yet"),
        },
        as_of: home.map(|home| home.as_of),
        age_ms: home.map(|home| now.since(home.as_of)),
        points: home.map(|home| home.points),
        frozen: home.is_some_and(|home| home.frozen),
        top_up_left_yen: home.map(|home| home.top_up_left_yen),
        pay_left_yen: home.map(|home| home.pay_left_yen),
        notices: home.map(|home| home.notices.clone()).unwrap_or_default(),
        last_event: home.map_or(0, |home| home.last_event),
    }
}

impl Wallet {
    /// The home screen as last known. Never waits for anything.
    #[must_use]
    pub fn home(&self) -> Home {
        let now = self.0.issuer_time();
        self.0.read(|state| picture(state, now)).unwrap_or_else(|| {
            let nothing = picture(&State::default(), now);
            Home { state: WalletState::Locked, balance_reason: Some("the wallet is locked"), ..nothing }
        })
    }

    /// Brings everything up to date: unfinished activation, intents with unknown outcome, home, history.
    ///
    /// # Errors
    /// [`Error::Offline`], [`Error::NoAnswer`], [`Error::Refused`], [`Error::NotSignedUp`]: what is known stays.
    pub async fn refresh(&self) -> Result<Home, Error> {
        saifu_link::traced(self.ask_everything()).await
    }

    async fn ask_everything(&self) -> Result<Home, Error> {
        self.0.binding()?;
        self.0.activate_if_needed().await?;
        self.0.resolve_intents().await?;
        self.0.refresh_home().await?;
        // Fetched after the picture, so it holds at least what the picture knows.
        let known = self.0.last_event();
        self.0.refresh_service_document().await;
        self.0.refresh_history(known).await?;
        Ok(self.home())
    }
}

impl Inner {
    pub(crate) async fn refresh_home(self: &std::sync::Arc<Self>) -> Result<(), Error> {
        let before = self.read(|state| state.top_ups.iter().map(|top_up| top_up.intent).collect::<Vec<_>>());
        let before = before.ok_or(Error::Locked)?;
        let request = Request::new(Operation::Home, Auth::Session, Class::Screen);
        let home: IssuerHome = self.link.call(request, &()).await?;
        self.commit(move |state| accept_home(state, home, &before)).await
    }

    /// A missing or stale document changes nothing: the last one stays in force.
    async fn refresh_service_document(self: &std::sync::Arc<Self>) {
        let known = self.read(|state| state.service_version).unwrap_or_default();
        match self.link.service_document(known).await {
            Ok(document) if document.version > known => {
                let _ = self.commit(move |state| state.service_version = document.version).await;
            }
            Ok(_) => {}
            Err(error) => tracing::info!(target: "saifu", %error, "service document not refreshed"),
        }
    }

    /// Asks what became of each intent whose outcome is unknown. The asking itself voids one that never arrived.
    async fn resolve_intents(self: &std::sync::Arc<Self>) -> Result<(), Error> {
        let intents: Vec<Intent> = self.read(|state| state.intents.clone()).ok_or(Error::Locked)?;
        for intent in intents {
            let body = ResolveRequest { operation: IntentOperation::TopUp, key: intent.key };
            let request = Request::new(Operation::IntentResolve, Auth::Session, Class::Screen);
            let answer: ResolveAnswer = self.link.call(request, &body).await?;
            // An end that this version has no word for, and no top-up for either, stays unknown: money is never guessed.
            if answer.outcome.known().is_none() && answer.top_up.is_none() {
                continue;
            }
            self.commit(move |state| {
                state.intents.retain(|open| open.key != intent.key);
                if let Some(top_up) = answer.top_up.filter(|_| answer.outcome != Resolved::Voided) {
                    keep_top_up(state, top_up);
                }
            })
            .await?;
        }
        Ok(())
    }
}

/// Replaces the picture, unless a newer one came by another way, and with it the open top-ups this wallet has started.
/// `before` are those that it knew before it asked: the picture tells of each of them that is still open. Times do not
/// decide: a top-up and a picture may be of one millisecond.
fn accept_home(state: &mut State, home: IssuerHome, before: &[IntentKey]) {
    if state.home.as_ref().is_some_and(|known| known.last_event > home.last_event || known.as_of > home.as_of) {
        return;
    }
    let known: Vec<_> = state.top_ups.iter().map(|top_up| top_up.intent).collect();
    // A top-up recorded while it was asked may not be in it and stays.
    let told = |intent| home.top_ups.iter().any(|top_up| top_up.intent == intent);
    state.top_ups.retain(|top_up| !before.contains(&top_up.intent) && !told(top_up.intent));
    state.top_ups.extend(home.top_ups.iter().filter(|top_up| known.contains(&top_up.intent)).cloned());
    state.home = Some(home);
}

/// Records an accepted top-up; a final one is no longer pending and shows in the history. One in a state that this version
/// does not know is kept: the next picture ends it.
pub(crate) fn keep_top_up(state: &mut State, top_up: saifu_wire::messages::TopUp) {
    state.top_ups.retain(|open| open.intent != top_up.intent);
    if !matches!(top_up.state.known(), Some(TopUpState::Done | TopUpState::Expired)) {
        state.top_ups.push(top_up);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_balance_has_a_reason_and_is_never_zero() {
        let home = picture(&State::default(), Millis(5));
        assert_eq!((home.state, home.balance_yen), (WalletState::NoAccount, None));
        assert!(home.balance_reason.is_some());
    }

    #[test]
    fn picture_ends_the_top_ups_known_when_it_was_asked_for_even_of_its_own_millisecond() {
        let top_up = |id: u128| saifu_wire::messages::TopUp {
            intent: IntentKey(uuid::Uuid::from_u128(id)),
            channel: saifu_wire::messages::Channel::Atm.into(),
            state: TopUpState::AwaitingCash.into(),
            yen: Yen(1_000),
            posted_yen: Yen(0),
            number: None,
            since: Millis(5),
            expires_at: Millis(9),
        };
        let (done, open, later) = (top_up(1), top_up(2), top_up(3));
        let mut state = State { top_ups: vec![done.clone(), open.clone(), later.clone()], ..State::default() };
        let picture = IssuerHome {
            as_of: Millis(5),
            era: "era-1".parse().unwrap(),
            last_event: 1,
            balance_yen: Yen(1_000),
            points: Points(0),
            standing: Standing::Starter.into(),
            frozen: false,
            top_up_left_yen: Yen(0),
            pay_left_yen: Yen(0),
            top_ups: vec![open.clone()],
            notices: Vec::new(),
        };
        accept_home(&mut state, picture, &[done.intent, open.intent]);
        let left: Vec<IntentKey> = state.top_ups.iter().map(|top_up| top_up.intent).collect();
        assert_eq!(left, [later.intent, open.intent]);
    }
}
