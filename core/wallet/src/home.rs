//! The home screen, from the journal alone, and how it is brought up to date.

use std::sync::Arc;
use std::time::Duration;

use saifu_link::{Auth, Request};
use saifu_policy::{Class, IssuerTime, Trust};
use saifu_wire::messages::{Home as IssuerHome, Notice, Standing};
use saifu_wire::{DeviceId, IntentKey, Millis, Open, Operation, Points, ProblemCode, Yen};

use crate::account::{Call, WalletState};
use crate::follower::Following;
use crate::offer::{Offer, Offers};
use crate::state::{Picture, State};
use crate::store::Turn;
use crate::wallet::Inner;
use crate::{Error, Wallet};

/// How long a refresh waits for the history, which goes on without it.
const HISTORY_PATIENCE: Duration = Duration::from_secs(1);

/// What the home screen shows. Figures that are not known are `None` with a reason, never 0. The `saifu` command shows it as JSON
/// under these names.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Home {
    /// How far this wallet has come, and by [`WalletState::way_out`] what leads on.
    pub state: WalletState,
    /// Why the issuer has put this device aside.
    pub put_aside: Option<Open<ProblemCode>>,
    /// This device, once there is one.
    #[serde(rename = "device_id")]
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
    /// What the issuer's clock rests on here.
    pub trust: Trust,
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
    /// Whether lines of the history are missing on this phone.
    pub history_incomplete: bool,
    /// How the following of events stands.
    #[serde(skip)]
    pub following: Following,
    /// What can be begun now, and why not.
    #[serde(flatten)]
    pub offers: Offers,
}

fn screen(state: &State, time: IssuerTime, following: Following) -> Home {
    let now = Millis(time.issuer_ms);
    let wallet_state = state.wallet_state(now);
    let picture = state.picture.as_ref();
    let account = state.account.as_ref();
    let age_ms = picture.map(|picture| now.since(picture.as_of));
    Home {
        state: wallet_state,
        put_aside: account.and_then(|account| account.put_aside.clone()),
        device: account.map(|account| account.binding.device),
        standing: picture.map(|picture| picture.standing.clone()),
        balance_yen: picture.map(|picture| picture.balance_yen),
        balance_reason: match (picture, account) {
            (Some(_), _) => None,
            (None, Some(_)) => Some("the issuer has not been reached yet"),
            (None, None) => Some("there is no account yet"),
        },
        as_of: picture.map(|picture| picture.as_of),
        age_ms,
        trust: time.trust,
        points: picture.map(|picture| picture.points),
        frozen: picture.is_some_and(|picture| picture.frozen),
        top_up_left_yen: picture.map(|picture| picture.top_up_left_yen),
        pay_left_yen: picture.map(|picture| picture.pay_left_yen),
        notices: picture.map(|picture| picture.notices.clone()).unwrap_or_default(),
        last_event: state.last_event(),
        history_incomplete: account.is_some() && !state.history_is_complete(),
        following,
        offers: Offers::of(state, wallet_state, age_ms),
    }
}

impl Wallet {
    /// The home screen as last known. Never waits for anything.
    #[must_use]
    pub fn home(&self) -> Home {
        let (time, following) = (self.0.time(), self.0.follower().standing());
        let known = self.0.store.read(|state| screen(state, time, following.clone()));
        known.unwrap_or_else(|| {
            let nothing = screen(&State::default(), time, following);
            let offers = Offers::none(Offer::Locked);
            Home { state: WalletState::Locked, balance_reason: Some("the wallet is locked"), offers, ..nothing }
        })
    }

    /// Brings everything up to date: unfinished activation, intents with unknown outcome, home. The history and the service
    /// document follow beside it: a disk or an origin that hangs keeps nobody waiting for a balance.
    ///
    /// # Errors
    /// [`Error::Offline`], [`Error::NoAnswer`], [`Error::Refused`], [`Error::NotSignedUp`]: what is known stays.
    pub async fn refresh(&self) -> Result<Home, Error> {
        saifu_link::traced(self.ask_everything()).await
    }

    async fn ask_everything(&self) -> Result<Home, Error> {
        let turn = self.0.may(Call::Use)?;
        self.0.activate_if_needed(turn).await?;
        self.0.resolve_intents(turn).await?;
        self.0.refresh_home(turn).await?;
        let complete = self.0.store.read(State::history_is_complete) == Some(true);
        if !complete {
            self.0.fill(turn);
        }
        self.0.read_service_document(turn);
        if !complete {
            // Beyond that the home screen says that it is incomplete.
            let _ = tokio::time::timeout(HISTORY_PATIENCE, self.0.filling.rests()).await;
        }
        Ok(self.home())
    }
}

impl Inner {
    pub(crate) async fn refresh_home(self: &Arc<Self>, turn: Turn) -> Result<(), Error> {
        let before = self.store.read(|state| state.intents.iter().map(|intent| intent.key).collect::<Vec<_>>());
        let before = before.ok_or(Error::Locked)?;
        let request = Request::new(Operation::Home, Auth::Session, Class::Screen);
        let home: IssuerHome = self.call(turn, request, &()).await?;
        let new_era = self.commit(turn, move |state| state.accept_home(home, &before)).await?;
        if new_era {
            self.codes().clear();
        }
        Ok(())
    }

    /// Fetches the service document beside the callers. A missing or stale one changes nothing: the last one stays in force.
    pub(crate) fn read_service_document(self: &Arc<Self>, turn: Turn) {
        self.start(
            turn,
            |inner| &inner.reading,
            |inner, turn| async move {
                // One after the other, so that the same calls make the same requests; a history that hangs delays nothing for long.
                let _ = tokio::time::timeout(HISTORY_PATIENCE, inner.filling.rests()).await;
                let known = inner.store.read(|state| state.service_version).ok_or(Error::Locked)?;
                match inner.link.service_document(known).await {
                    Ok(document) if document.version > known => {
                        inner.commit(turn, move |state| state.service_version = document.version).await
                    }
                    Ok(_) => Ok(()),
                    Err(error) => {
                        tracing::info!(target: "saifu", %error, "service document not refreshed");
                        Ok(())
                    }
                }
            },
        );
    }
}

impl State {
    /// Replaces the picture, unless a newer one came by another way, and with it the accepted intents of this wallet.
    /// `before` are those that it knew before it asked: the picture tells of each of them that is still open. Times do not
    /// decide: a top-up and a picture may be of one millisecond. `true`: the issuer has begun a new era, so that nothing it
    /// said before counts.
    fn accept_home(&mut self, home: IssuerHome, before: &[IntentKey]) -> bool {
        let new_era = self.era.as_ref().is_some_and(|era| *era != home.era);
        let newer = |known: &Picture| known.last_event > home.last_event || known.as_of > home.as_of;
        if !new_era && self.picture.as_ref().is_some_and(newer) {
            return false;
        }
        if new_era {
            self.forget_history();
        }
        // One that was recorded while the picture was asked for may not be in it and stays.
        let open = |key: IntentKey| home.top_ups.iter().any(|top_up| top_up.intent == key);
        self.intents.retain(|intent| intent.is_unknown() || !before.contains(&intent.key) || open(intent.key));
        for top_up in home.top_ups {
            if self.intents.iter().any(|intent| intent.key == top_up.intent && !intent.is_unknown()) {
                self.keep_top_up(top_up);
            }
        }
        self.era = Some(home.era);
        self.picture = Some(Picture {
            as_of: home.as_of,
            last_event: home.last_event,
            balance_yen: home.balance_yen,
            points: home.points,
            standing: home.standing,
            frozen: home.frozen,
            top_up_left_yen: home.top_up_left_yen,
            pay_left_yen: home.pay_left_yen,
            notices: home.notices,
        });
        new_era
    }
}

#[cfg(test)]
mod tests {
    use saifu_wire::messages::{Channel, TopUp, TopUpState};
    use saifu_wire::signed::Binding;
    use saifu_wire::{AccountId, Era, Name, PhoneNumber};
    use uuid::Uuid;

    use super::*;
    use crate::state::Account;

    fn key(id: u128) -> IntentKey {
        IntentKey(Uuid::from_u128(id))
    }

    fn top_up(id: u128) -> TopUp {
        TopUp {
            intent: key(id),
            channel: Channel::Atm.into(),
            state: TopUpState::AwaitingCash.into(),
            yen: Yen(1_000),
            posted_yen: Yen(0),
            number: None,
            since: Millis(5),
            expires_at: Millis(9),
        }
    }

    fn home(era: &str, last_event: u64, top_ups: Vec<TopUp>) -> IssuerHome {
        IssuerHome {
            era: Era(Name::new(era).unwrap()),
            as_of: Millis(5),
            last_event,
            balance_yen: Yen(1_000),
            points: Points(0),
            standing: Standing::Starter.into(),
            frozen: false,
            top_up_left_yen: Yen(0),
            pay_left_yen: Yen(0),
            top_ups,
            notices: Vec::new(),
        }
    }

    #[test]
    fn unknown_balance_has_a_reason_and_is_never_zero() {
        let time = IssuerTime { issuer_ms: 5, trust: Trust::Unanchored };
        let home = screen(&State::default(), time, Following::Off);
        assert_eq!((home.state, home.balance_yen, home.history_incomplete), (WalletState::NoAccount, None, false));
        assert!(home.balance_reason.is_some());
    }

    #[test]
    fn offers_follow_the_figures_and_an_old_limit_forbids_nothing() {
        let mut state = State::default();
        let (time, none) = (IssuerTime { issuer_ms: 5, trust: Trust::Full }, Offer::NoAccount);
        assert_eq!(screen(&state, time, Following::Off).offers, Offers { pay: none, top_up: none, totp: none });
        let binding =
            Binding { account: AccountId(Uuid::from_u128(1)), device: DeviceId(Uuid::from_u128(2)), epoch: 1 };
        state.account =
            Some(Account { binding, number: PhoneNumber::parse("090-1234-5678").unwrap(), put_aside: None });
        let offers = |state: &State, ms| {
            let Offers { pay, top_up, totp } =
                screen(state, IssuerTime { issuer_ms: ms, trust: Trust::Full }, Following::Off).offers;
            assert_eq!(totp, Offer::NotActivated);
            (pay, top_up)
        };
        // Nothing is known yet: the issuer decides.
        assert_eq!(offers(&state, 5), (Offer::Open, Offer::Open));
        state.accept_home(home("one", 1, Vec::new()), &[]);
        let closed = Offer::DayLimit;
        assert_eq!(offers(&state, 5), (closed, closed));
        assert_eq!(offers(&state, 86_400_004), (closed, closed));
        assert_eq!(offers(&state, 86_400_005), (Offer::Open, Offer::Open));
        state.accept_home(IssuerHome { balance_yen: Yen(0), ..home("one", 2, Vec::new()) }, &[]);
        assert_eq!(offers(&state, 86_400_005), (Offer::NoBalance, Offer::Open));
        state.accept_home(IssuerHome { frozen: true, ..home("one", 3, Vec::new()) }, &[]);
        assert_eq!(offers(&state, 86_400_005), (Offer::Frozen, Offer::Frozen));
    }

    #[test]
    fn picture_ends_the_top_ups_known_when_it_was_asked_for_even_of_its_own_millisecond() {
        let mut state = State::default();
        for id in 1..=3 {
            state.keep_top_up(top_up(id));
        }
        state.accept_home(home("one", 1, vec![top_up(2), top_up(7)]), &[key(1), key(2)]);
        let mut left: Vec<IntentKey> = state.intents.iter().map(|intent| intent.key).collect();
        left.sort();
        // The first is over, the last came later, and another phone's is none of ours.
        assert_eq!(left, [key(2), key(3)]);
    }

    #[test]
    fn older_picture_changes_nothing_unless_the_issuer_began_a_new_era() {
        let mut state = State::default();
        state.history.after = 9;
        assert!(!state.accept_home(home("one", 9, Vec::new()), &[]));
        assert!(!state.accept_home(home("one", 4, Vec::new()), &[]));
        assert_eq!((state.last_event(), state.history_is_complete()), (9, true));
        let cache = state.history.cache;
        // Control: without the era the wallet goes on with event 9 of an issuer that is at 4.
        assert!(state.accept_home(home("two", 4, Vec::new()), &[]));
        assert_eq!((state.last_event(), state.history_is_complete()), (4, false));
        assert!(state.history.cache > cache, "lines of the era that is over would be shown");
    }
}
