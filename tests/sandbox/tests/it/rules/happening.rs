//! What the world does to us: late and lost messages, a number's next holder, the end of a day.

use saifu_sandbox::policy::Policy;
use saifu_sandbox::rules::sms::{self, Sms};
use saifu_sandbox::rules::world::{self, Because, Happened, Happening, Kind, Made};
use saifu_wire::messages::{EventBody, NoticeKind, Outcome};
use saifu_wire::{Open, PhoneNumber, ProblemCode};

use super::world::*;

const OTHER: &str = "09012345679";

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).unwrap()
}

fn event(event: Kind, because: Because, number: Option<&str>) -> Happening {
    let number = number.map(self::number);
    Happening { event, because, number, by_ms: None, times: None }
}

fn late(by_ms: u64, number: Option<&str>) -> Happening {
    Happening { by_ms: Some(by_ms), ..event(Kind::SmsLate, Because::PhoneOff, number) }
}

fn recycled() -> Happening {
    event(Kind::NumberRecycled, Because::GivenUp, Some(NUMBER))
}

fn day_end() -> Happening {
    event(Kind::DayEnd, Because::Scheduled, None)
}

fn happens(world: &World, what: Happening) -> (Happened, Made) {
    world.write(move |cx| world::happen(cx, &what)).unwrap()
}

fn inbox(world: &World, number: &str, holder: Option<usize>) -> Vec<Sms> {
    let number = self::number(number);
    world.read(move |cx| sms::inbox_of(cx, &number, holder)).unwrap()
}

#[test]
fn late_code_opens_an_account_while_it_lives_and_is_dead_on_arrival_afterwards() {
    for (by, opens) in [(5 * MINUTE - 1, true), (5 * MINUTE, false)] {
        let world = World::new(Policy::default());
        happens(&world, late(by, Some(NUMBER)));
        let applicant = Applicant::new(NUMBER);
        let begun = world.begin(&applicant).unwrap();
        world.wait(by - 1);
        assert_eq!(inbox(&world, NUMBER, None).len(), 0, "not there yet");
        world.wait(1);
        let [message] = inbox(&world, NUMBER, None).try_into().unwrap();
        assert_eq!(message.arrived_at.since(message.at), by);
        let confirmed = world.confirm(&applicant, begun.request, &message.code.unwrap());
        assert_eq!(confirmed.is_ok(), opens);
        if !opens {
            assert_refused(confirmed, ProblemCode::SignUpExpired);
        }
    }
}

#[test]
fn late_code_that_a_newer_one_overtook_is_the_newest_in_the_inbox_and_costs_a_try() {
    let world = World::new(Policy::default());
    happens(&world, late(2 * MINUTE, None));
    let applicant = Applicant::new(NUMBER);
    world.begin(&applicant).unwrap();
    world.wait(MINUTE);
    let second = world.begin(&applicant).unwrap();
    let overtaking = world.code_for(&applicant.number);
    world.wait(MINUTE);
    let overtaken = world.code_for(&applicant.number);
    assert_ne!(overtaken, overtaking, "the seed draws two codes");
    assert_refused(world.confirm(&applicant, second.request, &overtaken), ProblemCode::WrongCode);
    world.confirm(&applicant, second.request, &overtaking).unwrap();
}

#[test]
fn so_many_messages_to_the_number_are_lost_and_no_other() {
    let world = World::new(Policy::default());
    let lost = Happening { times: Some(2), ..event(Kind::SmsLost, Because::Filtered, Some(NUMBER)) };
    assert_eq!(happens(&world, lost).0.left, 2);
    let (applicant, other) = (Applicant::new(NUMBER), Applicant::new(OTHER));
    world.begin(&other).unwrap();
    assert_eq!(inbox(&world, OTHER, None).len(), 1);
    for arrived in [0, 0, 1] {
        world.begin(&applicant).unwrap();
        assert_eq!(inbox(&world, NUMBER, None).len(), arrived);
        world.wait(MINUTE);
    }
    assert_eq!(world.read(world::all).unwrap()[0].left, 0);
}

#[test]
fn one_event_meets_a_message_the_oldest_that_waits_for_it() {
    let world = World::new(Policy::default());
    happens(&world, late(MINUTE, Some(OTHER)));
    happens(&world, late(10 * MINUTE, Some(NUMBER)));
    happens(&world, event(Kind::SmsLost, Because::PhoneFull, None));
    world.begin(&Applicant::new(NUMBER)).unwrap();
    let left: Vec<u32> = world.read(world::all).unwrap().iter().map(|it| it.left).collect();
    assert_eq!(left, [1, 0, 1]);
    world.wait(10 * MINUTE);
    assert_eq!(inbox(&world, NUMBER, None).len(), 1);
}

/// Control: without the look-up of the holder in `sign_up::proven` the newcomer is stopped only by the table, and this fails;
/// without the window of holders in `sms::inbox_of` the newcomer reads the old messages, and this fails.
#[test]
fn new_holder_of_a_number_gets_its_messages_and_neither_the_old_ones_nor_the_account() {
    let world = World::new(Policy::default());
    let owner = world.phone(NUMBER);
    world.fund(&owner, 3_000);
    world.wait(MINUTE);
    let before = (world.footprint(), world.home(&owner).balance_yen);
    let old = inbox(&world, NUMBER, None);
    assert!(!old.is_empty());

    assert_eq!(happens(&world, recycled()).1.holder, Some(2));
    assert_eq!(inbox(&world, NUMBER, None), []);
    assert_eq!(inbox(&world, NUMBER, Some(1)), old);
    let newcomer = Applicant::new(NUMBER);
    let begun = world.begin(&newcomer).unwrap();
    let code = world.code_for(&newcomer.number);
    assert_refused(world.confirm(&newcomer, begun.request, &code), ProblemCode::NumberTaken);

    assert_eq!(inbox(&world, NUMBER, Some(1)), old, "the old holder's phone rings no more");
    let told = world.events(&owner);
    let EventBody::Notice { notice: Open::Known(NoticeKind::Security), .. } = &told.last().unwrap().body else {
        panic!("{told:?}")
    };
    let (footprint, balance) = (world.footprint(), world.home(&owner).balance_yen);
    assert!(before.0.iter().zip(&footprint).all(|(b, a)| b == a || b.0 == "event"), "{before:?} {footprint:?}");
    assert_eq!(balance, before.1);
    let missing = number(NUMBER);
    assert_refused(world.read(move |cx| sms::inbox_of(cx, &missing, Some(3))), ProblemCode::InvalidRequest);
}

#[test]
fn message_on_its_way_reaches_whoever_holds_the_number_when_it_arrives() {
    let world = World::new(Policy::default());
    happens(&world, late(MINUTE, None));
    world.begin(&Applicant::new(NUMBER)).unwrap();
    happens(&world, recycled());
    world.wait(MINUTE);
    assert_eq!((inbox(&world, NUMBER, Some(1)).len(), inbox(&world, NUMBER, Some(2)).len()), (0, 1));
}

#[test]
fn day_end_finds_the_terminals_totals_in_the_ledger_and_begins_the_next_day() {
    let world = World::new(open_policy());
    let owner = world.phone(NUMBER);
    world.fund(&owner, 5_000);
    let paid = world.pay(&owner, 1_280);
    assert_eq!(paid.result, Outcome::Approved);
    world.refund(&till(), &world.txid(), paid.settlement.unwrap(), 80);
    world.wait(SECOND);
    let day = happens(&world, day_end()).1.day_end.unwrap();
    assert!(day.ok && day.from.is_none() && day.to == world.now(), "{day:?}");
    let [bank, shop] = day.terminals.try_into().unwrap();
    assert_eq!(
        (bank.terminal.as_str(), bank.top_ups.count, bank.top_ups.yen.0, bank.ledger_yen.0),
        ("atm-1", 1, 5_000, 5_000)
    );
    assert_eq!(
        (shop.merchant.as_str(), shop.payments.yen.0, shop.refunds.yen.0, shop.reversals.count),
        ("shop", 1_280, 80, 0)
    );
    assert_eq!((shop.customers_yen.0, shop.ledger_yen.0, day.postings), (-1_200, -1_200, 3));

    world.wait(DAY);
    let next = happens(&world, day_end()).1.day_end.unwrap();
    assert_eq!((next.from, next.terminals.len(), next.postings, next.ok), (Some(day.to), 0, 0, true));
}

/// The control of the one before: what the terminals were told is altered behind the ledger's back, and it is found.
#[test]
fn day_end_names_the_terminal_whose_totals_are_not_the_ledgers() {
    for (damage, terminal, customers, ledger) in
        [("UPDATE settlement SET yen = yen + 1", "atm-1", 5_001, 5_000), ("DELETE FROM settlement", "", 0, 5_000)]
    {
        let world = World::new(open_policy());
        world.fund(&world.phone(NUMBER), 5_000);
        let raw = world.raw();
        raw.pragma_update(None, "foreign_keys", false).unwrap();
        raw.execute(damage, []).unwrap();
        let day = happens(&world, day_end()).1.day_end.unwrap();
        let [seen] = day.terminals.try_into().unwrap();
        assert!(!day.ok && !seen.ok, "{damage}");
        assert_eq!((seen.terminal.as_str(), seen.customers_yen.0, seen.ledger_yen.0), (terminal, customers, ledger));
    }
}

/// Until the number is proven nobody learns whether it has an account, not by a message that the world lost either.
#[test]
fn lost_message_to_a_number_with_an_account_looks_like_one_to_a_number_without() {
    let world = World::new(Policy::default());
    world.phone(NUMBER);
    world.wait(MINUTE);
    let lost = Happening { times: Some(2), ..event(Kind::SmsLost, Because::NetworkFault, None) };
    happens(&world, lost);
    let before = (inbox(&world, NUMBER, None).len(), world.footprint());
    let answers = [NUMBER, OTHER].map(|number| world.begin(&Applicant::new(number)).unwrap());
    assert_eq!((answers[0].expires_at, answers[0].resend_at), (answers[1].expires_at, answers[1].resend_at));
    assert_eq!((inbox(&world, NUMBER, None).len(), inbox(&world, OTHER, None).len()), (before.0, 0));
    assert_eq!(world.footprint(), before.1);
    assert_eq!(world.read(world::all).unwrap()[0].left, 0);
}

#[test]
fn senseless_event_changes_nothing() {
    let world = World::new(Policy::default());
    let bad = Happening { because: Because::Unpaid, ..late(MINUTE, None) };
    assert_refused(world.write(move |cx| world::happen(cx, &bad)), ProblemCode::InvalidRequest);
    assert_eq!(world.read(world::all).unwrap(), []);
}
