use saifu_sandbox::policy::Policy;
use saifu_sandbox::rules::atm;
use saifu_wire::messages::{EntryKind, EventBody, NoticeKind, Outcome, Switch, TerminalKind, TopUpState};
use saifu_wire::{Open, Reason};

use super::world::*;

fn held(world: &World, phone: &Phone, amount: i64) -> String {
    world.top_up(phone, amount).unwrap().number.unwrap().expose().to_owned()
}

#[test]
fn cash_ends_the_hold_and_the_rest_goes_back_to_the_limits() {
    let (world, phone) = World::with_phone(Policy::default());
    let number = held(&world, &phone, 10_000);
    let txid = world.txid();
    let approved = world.authorize(&txid, &number, &world.totp(&phone));
    assert_eq!((approved.result, approved.yen.0), (Outcome::Approved, 10_000));
    assert_eq!(approved.until, Some(world.now().plus(5 * MINUTE)));
    let posted = world.deposit(&txid, 4_000);
    assert_eq!((posted.result, posted.yen.0), (Outcome::Approved, 4_000));

    let home = world.home(&phone);
    assert_eq!((home.balance_yen.0, home.top_up_left_yen.0, home.top_ups.len()), (4_000, 6_000, 0));
    let history = world.history(&phone);
    assert_eq!((history.len(), history[0].kind.known(), history[0].yen.0), (1, Some(EntryKind::TopUp), 4_000));
    assert_eq!(Some(history[0].id), posted.settlement);
    let resolved = world.resolve(&phone, history[0].intent.unwrap()).top_up.unwrap();
    assert_eq!((resolved.state.known(), resolved.posted_yen.0, resolved.number), (Some(TopUpState::Done), 4_000, None));
    assert!(matches!(world.events(&phone)[1].body, EventBody::Notice { notice: Open::Known(NoticeKind::Money), .. }));
    world.assert_sound();
}

#[test]
fn repeats_give_the_same_answer_and_other_questions_are_told_apart() {
    let (world, phone) = World::with_phone(Policy::default());
    let number = held(&world, &phone, 10_000);
    let (txid, totp) = (world.txid(), world.totp(&phone));
    let approved = world.authorize(&txid, &number, &totp);
    world.wait(MINUTE);
    assert_eq!(world.authorize(&txid, &number, &totp), approved);
    assert_eq!(world.authorize(&txid, &number, "000000").reason, Some(Reason::TransactionReused.into()));
    let posted = world.deposit(&txid, 10_000);
    let before = world.footprint();
    assert_eq!(world.deposit(&txid, 10_000), posted);
    assert_eq!(world.authorize(&txid, &number, &totp), approved);
    assert_eq!(world.deposit(&txid, 9_000).reason, Some(Reason::TransactionReused.into()));
    assert_eq!(world.footprint(), before);
    assert_eq!(world.home(&phone).balance_yen.0, 10_000);
}

#[test]
fn too_much_cash_is_declined_and_less_may_follow() {
    let (world, phone) = World::with_phone(Policy::default());
    let number = held(&world, &phone, 5_000);
    let txid = world.txid();
    assert_eq!(world.deposit(&txid, 5_000).reason, Some(Reason::NotAuthorized.into()));
    world.authorize(&txid, &number, &world.totp(&phone));
    assert_eq!(world.deposit(&txid, 5_001).reason, Some(Reason::AmountTooLarge.into()));
    assert_eq!(world.deposit(&txid, 5_000).result, Outcome::Approved);
}

#[test]
fn approval_ends_after_five_minutes_and_its_number_with_it() {
    let (world, phone) = World::with_phone(Policy::default());
    let number = held(&world, &phone, 5_000);
    world.wait(14 * MINUTE);
    let txid = world.txid();
    world.authorize(&txid, &number, &world.totp(&phone));
    world.wait(5 * MINUTE - 1);
    assert!(world.run_due().is_empty());
    world.wait(1);
    assert_eq!(world.deposit(&txid, 5_000).reason, Some(Reason::NotAuthorized.into()));
    assert_eq!(world.run_due().len(), 1);
    assert_eq!(world.deposit(&txid, 5_000).reason, Some(Reason::NotAuthorized.into()));
    assert_eq!(world.home(&phone).balance_yen.0, 0);
    world.assert_sound();
}

#[test]
fn every_bad_number_or_code_gets_one_identical_answer() {
    let (world, phone) = World::with_phone(open_policy());
    let used = held(&world, &phone, 1_000);
    let txid = world.txid();
    world.authorize(&txid, &used, &world.totp(&phone));
    world.wait(31 * SECOND);
    let fresh = held(&world, &phone, 1_000);
    let good = world.totp(&phone);
    let mut misread = fresh.clone().into_bytes();
    misread[0] = b'0' + (misread[0] - b'0' + 1) % 10;
    let misread = String::from_utf8(misread).unwrap();
    let mut answers = Vec::new();
    for (number, totp) in [
        ("", good.as_str()),
        ("000000000000", &good),
        ("12345678901234", &good),
        ("１２３４", &good),
        (&misread, &good),
        (&used, &good),
        (&fresh, ""),
        (&fresh, "not-it"),
    ] {
        answers.push(world.authorize(&world.txid(), number, totp));
    }
    let expired = held(&world, &phone, 1_000);
    world.wait(15 * MINUTE);
    answers.push(world.authorize(&world.txid(), &expired, &world.totp(&phone)));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(answers[0].reason, Some(Reason::NumberOrCodeNotValid.into()));
}

#[test]
fn three_wrong_codes_kill_the_number_and_the_owner_is_told() {
    let (world, phone) = World::with_phone(Policy::default());
    let number = held(&world, &phone, 5_000);
    for _ in 0..3 {
        assert_eq!(world.authorize(&world.txid(), &number, "wrong").result, Outcome::Declined);
    }
    assert_eq!(world.authorize(&world.txid(), &number, &world.totp(&phone)).result, Outcome::Declined);
    let events = world.events(&phone);
    assert!(matches!(events[0].body, EventBody::TopUpExpired { .. }));
    assert!(matches!(events[1].body, EventBody::Notice { notice: Open::Known(NoticeKind::Security), .. }));
    assert_eq!(world.home(&phone).top_up_left_yen.0, 10_000);
    world.assert_sound();
}

#[test]
fn right_code_still_counts_after_two_wrong_ones() {
    let (world, phone) = World::with_phone(Policy::default());
    let number = held(&world, &phone, 5_000);
    for _ in 0..2 {
        world.authorize(&world.txid(), &number, "wrong");
    }
    assert_eq!(world.authorize(&world.txid(), &number, &world.totp(&phone)).result, Outcome::Approved);
}

fn same_step_twice(policy: Policy) -> Outcome {
    let (world, phone) = World::with_phone(policy);
    let (one, two) = (held(&world, &phone, 1_000), held(&world, &phone, 1_000));
    let totp = world.totp(&phone);
    assert_eq!(world.authorize(&world.txid(), &one, &totp).result, Outcome::Approved);
    world.authorize(&world.txid(), &two, &totp).result
}

/// I6: an equal or older step is never taken.
#[test]
fn each_step_counts_once() {
    assert_eq!(same_step_twice(open_policy()), Outcome::Declined);
    let (world, phone) = World::with_phone(open_policy());
    let (one, two) = (held(&world, &phone, 1_000), held(&world, &phone, 1_000));
    let older = world.totp(&phone);
    world.wait(30 * SECOND);
    assert_eq!(world.authorize(&world.txid(), &one, &world.totp(&phone)).result, Outcome::Approved);
    assert_eq!(world.authorize(&world.txid(), &two, &older).result, Outcome::Declined);
}

#[test]
fn control_without_the_step_check_a_code_counts_twice() {
    let mut policy = open_policy();
    policy.without.totp_step = true;
    assert_eq!(same_step_twice(policy), Outcome::Approved);
}

#[test]
fn codes_of_neighbouring_steps_count_and_no_others() {
    let (world, phone) = World::with_phone(open_policy());
    for (late, fine) in [(30, true), (90, false)] {
        let number = held(&world, &phone, 1_000);
        let totp = world.totp(&phone);
        world.wait(late * SECOND);
        let outcome = if fine { Outcome::Approved } else { Outcome::Declined };
        assert_eq!(world.authorize(&world.txid(), &number, &totp).result, outcome, "{late} s late");
    }
}

#[test]
fn freeze_and_switch_are_checked_again_at_the_machine() {
    let (world, phone) = World::with_phone(open_policy());
    let number = held(&world, &phone, 1_000);
    world.switch(Switch::TopUpAtm, false);
    assert_eq!(world.authorize(&world.txid(), &number, &world.totp(&phone)).reason, Some(Reason::Stopped.into()));
    world.switch(Switch::TopUpAtm, true);
    let txid = world.txid();
    world.authorize(&txid, &number, &world.totp(&phone));
    world.switch(Switch::TopUpAtm, false);
    assert_eq!(world.deposit(&txid, 1_000).reason, Some(Reason::Stopped.into()));
    world.switch(Switch::TopUpAtm, true);
    assert_eq!(world.deposit(&txid, 1_000).result, Outcome::Approved);
    world.wait(31 * SECOND);
    let number = held(&world, &phone, 1_000);
    world.freeze(&phone);
    assert_eq!(world.authorize(&world.txid(), &number, &world.totp(&phone)).reason, Some(Reason::AccountFrozen.into()));
}

#[test]
fn another_machine_cannot_post_under_this_ones_approval() {
    let (world, phone) = World::with_phone(open_policy());
    let number = held(&world, &phone, 1_000);
    let txid = world.txid();
    world.authorize(&txid, &number, &world.totp(&phone));
    let request = saifu_wire::messages::AtmDepositRequest { txid, yen: yen(1_000) };
    let other = terminal("atm-2", TerminalKind::Atm, "bank");
    let answer = world.write(move |cx| atm::deposit(cx, &other, &request)).unwrap();
    assert_eq!(answer.reason, Some(Reason::NotAuthorized.into()));
}

#[test]
fn first_and_large_top_ups_also_go_by_sms() {
    let (world, phone) = World::with_phone(open_policy());
    let messages = || world.inbox(&phone.number).len();
    let before = messages();
    world.fund(&phone, 1_000);
    assert_eq!(messages(), before + 1);
    world.fund(&phone, 9_999);
    assert_eq!(messages(), before + 1);
    world.fund(&phone, 10_000);
    assert_eq!(messages(), before + 2);
}
