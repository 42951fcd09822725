use saifu_code::{Issuer, Kind, PaymentDigits};
use saifu_sandbox::policy::{Policy, rule};
use saifu_sandbox::rules::code;
use saifu_wire::messages::{CodeRequest, EntryKind, EventBody, Outcome, Purpose, Switch, TerminalKind};
use saifu_wire::{ProblemCode, Reason};

use super::world::*;

#[test]
fn scanned_code_pays_once_and_earns_points() {
    let (world, phone) = World::funded(Policy::default(), 10_000);
    let digits = world.digits(&phone);
    let paid = world.settle(&till(), &world.txid(), &digits, 1_399);
    assert_eq!((paid.result, paid.yen.0, paid.reason), (Outcome::Approved, 1_399, None));
    let home = world.home(&phone);
    assert_eq!((home.balance_yen.0, home.points.0, home.pay_left_yen.0), (8_601, 6, 8_601));
    let line = world.history(&phone).pop().unwrap();
    assert_eq!((line.kind.known(), line.yen.0, line.points.0), (Some(EntryKind::Payment), -1_399, 6));
    assert_eq!((line.merchant.as_deref(), Some(line.id)), (Some("shop"), paid.settlement));
    let again = world.settle(&till(), &world.txid(), &digits, 1_399);
    assert_eq!(again.reason, Some(Reason::CodeNotValid.into()));
    assert_eq!(world.home(&phone).balance_yen.0, 8_601);
    world.assert_sound();
}

#[test]
fn code_tells_its_times_and_cap() {
    let (world, phone) = World::with_phone(Policy::default());
    let code = world.code(&phone, Purpose::Pay).unwrap();
    assert_eq!((code.refresh_at, code.expires_at), (world.now().plus(MINUTE), world.now().plus(5 * MINUTE)));
    assert_eq!(code.cap_yen.0, 10_000);
    let digits = PaymentDigits::parse(code.digits.expose()).unwrap();
    assert_eq!((digits.issuer(), digits.kind()), (Issuer::SANDBOX, Kind::OnlinePay));
}

#[test]
fn every_bad_code_gets_one_identical_answer() {
    let (world, phone) = World::funded(open_policy(), 10_000);
    let (replaced, burnt) = (world.digits(&phone), world.digits(&phone));
    world.settle(&till(), &world.txid(), &burnt, 100);
    for _ in 0..3 {
        world.digits(&phone);
    }
    let expired = world.digits(&phone);
    let made_up = PaymentDigits::new(Issuer::SANDBOX, Kind::OnlinePay, 7).unwrap();
    let offline = PaymentDigits::new(Issuer::SANDBOX, Kind::OfflinePay, 7).unwrap();
    let foreign = PaymentDigits::new("12345678".parse().unwrap(), Kind::OnlinePay, 7).unwrap();
    let mut answers: Vec<_> = [&replaced, &burnt, "", "99999999", made_up.as_str(), offline.as_str(), foreign.as_str()]
        .iter()
        .map(|digits| world.settle(&till(), &world.txid(), digits, 100))
        .collect();
    world.wait(5 * MINUTE);
    answers.push(world.settle(&till(), &world.txid(), &expired, 100));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(answers[0].reason, Some(Reason::CodeNotValid.into()));
    assert_eq!(world.home(&phone).balance_yen.0, 9_900);
}

#[test]
fn fourth_live_code_kills_only_the_oldest() {
    let (world, phone) = World::funded(open_policy(), 10_000);
    let codes: Vec<_> = (0..4).map(|_| world.digits(&phone)).collect();
    let results: Vec<_> = codes.iter().map(|it| world.settle(&till(), &world.txid(), it, 100).result).collect();
    assert_eq!(results, [Outcome::Declined, Outcome::Approved, Outcome::Approved, Outcome::Approved]);
}

#[test]
fn cash_in_code_never_pays_and_tells_nothing_about_living_codes() {
    let (world, phone) = World::funded(open_policy(), 10_000);
    let live = world.code(&phone, Purpose::CashIn).unwrap().digits;
    let made_up = PaymentDigits::new(Issuer::SANDBOX, Kind::CashIn, 7).unwrap();
    let answer = world.settle(&till(), &world.txid(), live.expose(), 100);
    assert_eq!(answer.reason, Some(Reason::WrongPurpose.into()));
    assert_eq!(world.settle(&till(), &world.txid(), made_up.as_str(), 100), answer);
    assert_eq!(world.home(&phone).balance_yen.0, 10_000);
    // The kind digit is part of what is looked up: rewritten, it names another code.
    let live = world.code(&phone, Purpose::CashIn).unwrap().digits;
    let body: u64 = PaymentDigits::parse(live.expose()).unwrap().body().parse().unwrap();
    let rewritten = PaymentDigits::new(Issuer::SANDBOX, Kind::OnlinePay, body).unwrap();
    let answer = world.settle(&till(), &world.txid(), rewritten.as_str(), 100);
    assert_eq!(answer.reason, Some(Reason::CodeNotValid.into()));
}

#[test]
fn declined_scan_burns_the_code_and_tells_the_phone_why() {
    let (world, phone) = World::funded(Policy::default(), 5_000);
    let cases: [(i64, Reason); 2] = [(10_001, Reason::OverCap), (6_000, Reason::InsufficientBalance)];
    for (amount, reason) in cases {
        let digits = world.digits(&phone);
        assert_eq!(world.settle(&till(), &world.txid(), &digits, amount).reason, Some(reason.into()));
        let last = world.events(&phone).pop().unwrap();
        let EventBody::Declined { reason: told, yen: asked, merchant } = last.body else { panic!("{last:?}") };
        assert_eq!((told, asked.0, merchant.as_str()), (reason.into(), amount, "shop"));
        assert_eq!(last.balance_yen.0, 5_000);
        assert_eq!(world.settle(&till(), &world.txid(), &digits, 1).reason, Some(Reason::CodeNotValid.into()));
    }
    world.assert_sound();
}

#[test]
fn freeze_and_switches_stop_codes_and_payments() {
    let (world, phone) = World::funded(open_policy(), 5_000);
    let digits = world.digits(&phone);
    world.switch(Switch::Settlement, false);
    assert_eq!(world.settle(&till(), &world.txid(), &digits, 100).reason, Some(Reason::Stopped.into()));
    world.switch(Switch::Settlement, true);
    world.switch(Switch::Code, false);
    assert_refused(world.code(&phone, Purpose::Pay), ProblemCode::SwitchedOff);
    world.switch(Switch::Code, true);
    let digits = world.digits(&phone);
    world.freeze(&phone);
    assert_eq!(world.settle(&till(), &world.txid(), &digits, 100).reason, Some(Reason::AccountFrozen.into()));
    assert_refused(world.code(&phone, Purpose::Pay), ProblemCode::Frozen);
    assert_eq!(world.home(&phone).balance_yen.0, 5_000);
    assert!(world.home(&phone).frozen);
}

#[test]
fn limits_on_paying_hold_over_rolling_windows() {
    let (world, phone) = World::funded(Policy::default(), 10_000);
    world.wait(DAY);
    world.fund(&phone, 10_000);
    assert_eq!(world.pay(&phone, 9_999).result, Outcome::Approved);
    assert_eq!(world.pay(&phone, 2).reason, Some(Reason::OverLimit.into()));
    assert_eq!(world.pay(&phone, 1).result, Outcome::Approved);
    world.wait(DAY - 1);
    assert_eq!(world.pay(&phone, 1).reason, Some(Reason::OverLimit.into()));
    world.wait(1);
    assert_eq!(world.pay(&phone, 1).result, Outcome::Approved);

    let (world, phone) = World::funded(normal_policy(), 30_000);
    for _ in 0..5 {
        assert_eq!(world.pay(&phone, 100).result, Outcome::Approved);
    }
    assert_eq!(world.pay(&phone, 100).reason, Some(Reason::OverLimit.into()), "the sixth in ten minutes");
    world.wait(10 * MINUTE);
    assert_eq!(world.pay(&phone, 10_000).result, Outcome::Approved);
    assert_eq!(world.pay(&phone, 9_500).result, Outcome::Approved);
    assert_eq!(world.pay(&phone, 1).reason, Some(Reason::OverLimit.into()), "¥20,000 in 24 h without presence");
}

#[test]
fn repeated_transaction_repeats_its_answer_and_another_question_is_told_apart() {
    let (world, phone) = World::funded(open_policy(), 10_000);
    let (digits, other, txid) = (world.digits(&phone), world.digits(&phone), world.txid());
    let first = world.settle(&till(), &txid, &digits, 500);
    let before = world.footprint();
    world.wait(HOUR);
    assert_eq!(world.settle(&till(), &txid, &digits, 500), first);
    assert_eq!(world.settle(&till(), &txid, &digits, 501).reason, Some(Reason::TransactionReused.into()));
    assert_eq!(world.settle(&till(), &txid, &other, 500).reason, Some(Reason::TransactionReused.into()));
    assert_eq!(world.footprint(), before);
    // Another till's transaction of the same id is another transaction.
    let till_2 = terminal("till-2", TerminalKind::Register, "shop");
    assert_eq!(world.settle(&till_2, &txid, &digits, 500).reason, Some(Reason::CodeNotValid.into()));
    let bad = world.txid();
    let declined = world.settle(&till(), &bad, "nonsense", 500);
    assert_eq!(world.settle(&till(), &bad, "nonsense", 500), declined);
}

#[test]
fn reversal_gives_everything_back_once() {
    let (world, phone) = World::funded(Policy::default(), 10_000);
    let (digits, txid) = (world.digits(&phone), world.txid());
    world.settle(&till(), &txid, &digits, 2_000);
    let voided = world.void(&till(), &txid);
    assert_eq!((voided.result, voided.yen.0), (Outcome::Voided, 2_000));
    let before = world.footprint();
    assert_eq!(world.void(&till(), &txid), voided);
    assert_eq!(world.settle(&till(), &txid, &digits, 2_000).reason, Some(Reason::Voided.into()));
    assert_eq!(world.footprint(), before);
    let home = world.home(&phone);
    assert_eq!((home.balance_yen.0, home.points.0, home.pay_left_yen.0), (10_000, 0, 10_000));
    let line = world.history(&phone).pop().unwrap();
    assert_eq!((line.kind.known(), line.yen.0, line.points.0), (Some(EntryKind::Reversal), 2_000, -10));
    world.assert_sound();
}

#[test]
fn reversal_that_arrives_first_voids_the_id_and_the_scan_still_burns() {
    let (world, phone) = World::funded(open_policy(), 10_000);
    let (digits, txid) = (world.digits(&phone), world.txid());
    let voided = world.void(&till(), &txid);
    assert_eq!((voided.result, voided.yen.0, voided.settlement), (Outcome::Voided, 0, None));
    for _ in 0..2 {
        assert_eq!(world.settle(&till(), &txid, &digits, 500).reason, Some(Reason::Voided.into()));
    }
    assert_eq!(world.settle(&till(), &world.txid(), &digits, 500).reason, Some(Reason::CodeNotValid.into()));
    assert_eq!(world.void(&till(), &txid), voided);
    assert_eq!(world.home(&phone).balance_yen.0, 10_000);
}

#[test]
fn refunds_go_back_to_the_payer_up_to_the_payment() {
    let (world, phone) = World::funded(open_policy(), 10_000);
    let paid = world.pay(&phone, 1_000).settlement.unwrap();
    let txid = world.txid();
    let first = world.refund(&till(), &txid, paid, 300);
    assert_eq!((first.result, first.yen.0), (Outcome::Approved, 300));
    assert_eq!(world.refund(&till(), &txid, paid, 300), first);
    assert_eq!(world.refund(&till(), &txid, paid, 301).reason, Some(Reason::TransactionReused.into()));
    let home = world.home(&phone);
    assert_eq!((home.balance_yen.0, home.points.0), (9_300, 3));
    assert_eq!(world.refund(&till(), &world.txid(), paid, 701).reason, Some(Reason::OverRefund.into()));
    assert_eq!(world.refund(&till(), &world.txid(), paid, 700).result, Outcome::Approved);
    assert_eq!(world.refund(&till(), &world.txid(), paid, 1).reason, Some(Reason::OverRefund.into()));
    let home = world.home(&phone);
    assert_eq!((home.balance_yen.0, home.points.0), (10_000, 0));
    let line = world.history(&phone).pop().unwrap();
    assert_eq!((line.kind.known(), line.original), (Some(EntryKind::Refund), Some(paid)));
    world.assert_sound();
}

#[test]
fn refund_and_reversal_together_never_exceed_the_payment() {
    let (world, phone) = World::funded(open_policy(), 10_000);
    let (digits, txid) = (world.digits(&phone), world.txid());
    let paid = world.settle(&till(), &txid, &digits, 1_000).settlement.unwrap();
    world.refund(&till(), &world.txid(), paid, 400);
    assert_eq!(world.void(&till(), &txid).yen.0, 600);
    assert_eq!(world.refund(&till(), &world.txid(), paid, 1).reason, Some(Reason::OverRefund.into()));
    let (digits, txid) = (world.digits(&phone), world.txid());
    let paid = world.settle(&till(), &txid, &digits, 1_000).settlement.unwrap();
    world.refund(&till(), &world.txid(), paid, 1_000);
    assert_eq!(world.void(&till(), &txid).reason, Some(Reason::OverRefund.into()));
    assert_eq!((world.home(&phone).balance_yen.0, world.home(&phone).points.0), (10_000, 0));
    world.assert_sound();
}

#[test]
fn refund_is_for_the_merchant_that_was_paid() {
    let (world, phone) = World::funded(open_policy(), 10_000);
    let paid = world.pay(&phone, 1_000).settlement.unwrap();
    let neighbour = terminal("till-9", TerminalKind::Register, "other-shop");
    let colleague = terminal("till-2", TerminalKind::Register, "shop");
    assert_eq!(world.refund(&neighbour, &world.txid(), paid, 1).reason, Some(Reason::OriginalNotFound.into()));
    let refund = world.refund(&colleague, &world.txid(), paid, 1);
    assert_eq!(refund.result, Outcome::Approved);
    // A refund or a top-up is no payment.
    let top_up = world.history(&phone)[0].id;
    for other in [refund.settlement.unwrap(), top_up, saifu_wire::SettlementId(uuid::Uuid::nil())] {
        assert_eq!(world.refund(&till(), &world.txid(), other, 1).reason, Some(Reason::OriginalNotFound.into()));
    }
    assert_eq!(world.home(&phone).balance_yen.0, 9_001);
}

#[test]
fn voided_refund_id_refunds_nothing() {
    let (world, phone) = World::funded(open_policy(), 10_000);
    let paid = world.pay(&phone, 1_000).settlement.unwrap();
    let txid = world.txid();
    world.void(&till(), &txid);
    assert_eq!(world.refund(&till(), &txid, paid, 100).reason, Some(Reason::Voided.into()));
    let txid = world.txid();
    world.refund(&till(), &txid, paid, 100);
    assert_eq!(world.void(&till(), &txid).reason, Some(Reason::OriginalNotFound.into()));
    assert_eq!(world.home(&phone).balance_yen.0, 9_100);
}

#[test]
fn codes_need_a_live_device() {
    let (world, phone) = World::funded(open_policy(), 10_000);
    let digits = world.digits(&phone);
    world.raw().execute("UPDATE account SET epoch = 2", []).unwrap();
    assert_eq!(world.settle(&till(), &world.txid(), &digits, 100).reason, Some(Reason::CodeNotValid.into()));
    let binding = phone.binding;
    let refused = world.write(move |cx| code::issue(cx, binding, &CodeRequest { purpose: Purpose::Pay }));
    assert_refused(refused, ProblemCode::UnknownDevice);
}

#[test]
fn large_payments_are_told_by_sms_too() {
    let (world, phone) = World::funded(open_policy(), 30_000);
    let messages = || world.inbox(&phone.number);
    let before = messages().len();
    world.pay(&phone, 9_999);
    assert_eq!(messages().len(), before);
    world.pay(&phone, 10_000);
    assert!(messages().last().unwrap().text.contains("¥10,000 paid at shop"));
}

#[test]
fn limits_name_the_rule_in_the_policy_file() {
    let (world, phone) = World::with_phone(Policy::default());
    let problem = world.top_up(&phone, 10_001).unwrap_err();
    assert_eq!(problem.rule.as_deref(), Some(rule::TOP_UP_STARTER_DAY));
    assert!(problem.detail.unwrap().contains("¥10,000"));
}
