//! What a later version of the issuer may write within `/v1` is read, and everything that is known of it is there. The files in
//! `fixtures/tomorrow` stay as they are: an installed wallet of this version meets them.

use saifu_wire::messages::{
    EntryKind, EntryState, Event, EventBody, HistoryPage, Home, NoticeKind, Outcome, ResolveAnswer, ServiceDocument,
    SettleAnswer, SignUpConfirmAnswer, Switch, SwitchState, TopUp, TopUpState,
};
use saifu_wire::{Problem, Yen};
use serde::de::DeserializeOwned;

/// What this version makes of a file. Every one of them is named by a test here.
fn tomorrow<T: DeserializeOwned>(name: &str) -> T {
    let path = format!("{}/tests/fixtures/tomorrow/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains("of_tomorrow"), "{name} has no field of tomorrow");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn home_has_its_figures_and_every_top_up_and_notice() {
    let home: Home = tomorrow("home");
    assert_eq!(home.era.to_string(), "0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    assert_eq!((home.last_event, home.balance_yen, home.points.0, home.frozen), (7, Yen(12_345), 61, false));
    assert_eq!((home.standing.known(), home.standing.as_str()), (None, "gold-of-tomorrow"));
    let [bank, qr] = home.top_ups.as_slice() else { panic!("{home:?}") };
    assert_eq!(
        (bank.channel.as_str(), bank.state.as_str(), bank.yen.0),
        ("bank-of-tomorrow", "checked-of-tomorrow", 5_000)
    );
    assert_eq!(bank.number.as_ref().map(|number| number.expose()), Some("123456789015"));
    assert_eq!((qr.channel.known(), qr.state.known(), qr.yen.0), (None, Some(TopUpState::AwaitingCash), 700));
    assert_eq!(qr.number, None, "a number in another form is not there");
    let kinds: Vec<_> = home.notices.iter().map(|notice| (notice.kind.known(), notice.text.as_str())).collect();
    assert_eq!(kinds, [(None, "Snow."), (Some(NoticeKind::Money), "Paid.")]);
}

#[test]
fn history_loses_no_line_and_no_amount() {
    let page: HistoryPage = tomorrow("history");
    let [interest, payment] = page.entries.as_slice() else { panic!("{page:?}") };
    assert_eq!((interest.kind.as_str(), interest.state.as_str()), ("interest-of-tomorrow", "held-of-tomorrow"));
    assert_eq!((interest.number, interest.yen), (3, Yen(12)));
    assert_eq!((payment.kind.known(), payment.state.known()), (Some(EntryKind::Payment), Some(EntryState::Done)));
    assert_eq!((payment.number, payment.yen, payment.points.0), (4, Yen(-500), 2));
    assert_eq!((&payment.merchant, payment.original, payment.intent), (&None, None, None), "in another form");
}

#[test]
fn event_of_a_known_kind_is_that_with_words_of_tomorrow_in_it() {
    let event: Event = tomorrow("event-entry");
    let EventBody::Entry { entry } = &event.body else { panic!("{event:?}") };
    assert_eq!((entry.kind.as_str(), entry.yen), ("interest-of-tomorrow", Yen(12)));
    let event: Event = tomorrow("event-declined");
    let EventBody::Declined { reason, yen, merchant } = &event.body else { panic!("{event:?}") };
    assert_eq!((reason.as_str(), yen.0, merchant.as_str()), ("too-late-of-tomorrow", 900, "shop-1"));
    assert!(reason.text().starts_with("Declined."));
    let event: Event = tomorrow("event-top-up-expired");
    assert!(matches!(event.body, EventBody::TopUpExpired { .. }), "{event:?}");
    let event: Event = tomorrow("event-notice");
    let EventBody::Notice { notice, text } = &event.body else { panic!("{event:?}") };
    assert_eq!((notice.known(), text.as_str()), (None, "Snow."));
}

#[test]
fn every_event_counts_whatever_it_is() {
    let names = ["entry", "declined", "top-up-expired", "notice", "unheard-of", "changed"];
    for (number, name) in (3..).zip(names) {
        let event: Event = tomorrow(&format!("event-{name}"));
        assert_eq!((event.number, event.at.0), (number, 1_700_000_000_000 + number), "{name}");
        assert_eq!(
            (event.balance_yen.0.unsigned_abs(), event.points.0.unsigned_abs()),
            (1_000 * number, number),
            "{name}"
        );
        let unreadable = ["unheard-of", "changed"].contains(&name);
        assert_eq!(event.body == EventBody::Other, unreadable, "{name}");
    }
}

#[test]
fn refusal_says_why_in_the_issuers_words() {
    let problem: Problem = tomorrow("refusal");
    assert_eq!((problem.code.known(), problem.code.as_str()), (None, "too-early-of-tomorrow"));
    assert_eq!((problem.status, problem.code.next()), (403, "Update the app."));
    assert_eq!(problem.to_string(), "It is too early. (Come back at noon.)");
    assert_eq!((problem.rule.as_deref(), problem.retry_after_ms), (Some("pay.noon"), None));
}

#[test]
fn service_document_keeps_its_version_and_every_switch() {
    let document: ServiceDocument = tomorrow("service-document");
    assert_eq!((document.version, document.minimum_app_version.as_str()), (9, "0.1.0"));
    assert_eq!(document.qr.as_str(), "hologram-of-tomorrow");
    let switches: Vec<_> = document.features.switches.iter().map(|it| (it.switch.known(), it.on)).collect();
    assert_eq!(switches, [(None, false), (Some(Switch::Code), true)]);
    let switch: SwitchState = tomorrow("switch");
    assert_eq!((switch.switch.as_str(), switch.on), ("bank-of-tomorrow", false));
}

#[test]
fn money_on_its_way_is_never_lost() {
    let top_up: TopUp = tomorrow("top-up");
    assert_eq!((top_up.yen, top_up.posted_yen, top_up.expires_at.0), (Yen(5_000), Yen(0), 1_700_000_900_000));
    let answer: ResolveAnswer = tomorrow("resolve");
    assert_eq!((answer.outcome.known(), answer.outcome.as_str()), (None, "waiting-of-tomorrow"));
    assert_eq!(answer.top_up, Some(top_up));
    let declined: SettleAnswer = tomorrow("declined");
    assert_eq!(declined.result, Outcome::Declined);
    assert_eq!(declined.reason.unwrap().as_str(), "too-late-of-tomorrow");
}

/// A terminal that cannot tell whether money moved has got no answer.
#[test]
fn outcome_at_a_terminal_is_closed() {
    let text = r#"{"result":"half-approved-of-tomorrow","yen":500}"#;
    assert!(serde_json::from_str::<SettleAnswer>(text).is_err());
}

#[test]
fn account_is_opened_whatever_its_standing_is_called() {
    let answer: SignUpConfirmAnswer = tomorrow("sign-up-confirmed");
    assert_eq!((answer.epoch, answer.standing.as_str()), (1, "gold-of-tomorrow"));
}

#[test]
fn every_file_is_read_here() {
    let folder = format!("{}/tests/fixtures/tomorrow", env!("CARGO_MANIFEST_DIR"));
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let stem = name.trim_end_matches(".json").trim_start_matches("event-").to_owned();
        assert!(include_str!("tomorrow.rs").contains(&format!("{stem}\"")), "{name}");
    }
}
