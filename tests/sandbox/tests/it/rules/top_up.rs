use saifu_sandbox::policy::{Policy, rule};
use saifu_sandbox::rules::{Binding, top_up};
use saifu_wire::messages::{Channel, EventBody, Resolved, Switch, TopUpRequest, TopUpState};
use saifu_wire::{Bytes, IntentKey, ProblemCode, signed};

use super::world::*;

#[test]
fn approved_intent_holds_and_gives_a_number_that_a_replay_repeats() {
    let (world, phone) = World::with_phone(Policy::default());
    let key = world.key();
    let request = world.intent(&phone, key, 5_000);
    let first = world.send(&phone, key, &request).unwrap();
    let number = first.number.clone().unwrap();
    assert_eq!((first.state.known(), first.yen.0, first.posted_yen.0), (Some(TopUpState::AwaitingCash), 5_000, 0));
    assert_eq!(first.expires_at, world.now().plus(15 * MINUTE));
    assert_eq!(number.expose().len(), 12);
    let (digits, check) = number.expose().split_at(11);
    assert_eq!(saifu_code::luhn(digits.as_bytes()), Some(check.as_bytes()[0]));

    let before = world.footprint();
    // With its used nonce, with a fresh one, and long after the key's time has passed.
    assert_eq!(world.send(&phone, key, &request).unwrap(), first);
    world.wait(11 * MINUTE);
    let fresh = world.intent(&phone, key, 5_000);
    assert_eq!(world.send(&phone, key, &fresh).unwrap(), first);
    world.wait(HOUR);
    world.run_due();
    assert_eq!(world.send(&phone, key, &request).unwrap(), first);
    let after = world.footprint();
    let changed: Vec<_> = before.iter().zip(&after).filter(|(b, a)| b != a).map(|(b, _)| b.0.as_str()).collect();
    assert_eq!(changed, ["posting", "event", "nonces"], "one expiry, its event, the one unused nonce");
    assert_eq!(world.home(&phone).balance_yen.0, 0);
    world.assert_sound();
}

#[test]
fn neither_number_nor_nonce_rests_in_the_database() {
    let (world, phone) = World::with_phone(Policy::default());
    let nonce = world.nonce(&phone).nonce;
    let number = world.top_up(&phone, 5_000).unwrap().number.unwrap();
    world.raw().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let file = std::fs::read(world.folder.path().join("issuer.db")).unwrap();
    for secret in [nonce.expose(), number.expose()] {
        assert!(!file.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
}

#[test]
fn another_intent_under_a_used_key_is_refused() {
    let (world, phone) = World::with_phone(Policy::default());
    let key = world.key();
    let request = world.intent(&phone, key, 5_000);
    world.send(&phone, key, &request).unwrap();
    let other = world.intent(&phone, key, 6_000);
    let before = world.footprint();
    assert_refused(world.send(&phone, key, &other), ProblemCode::KeyReused);
    assert_eq!(world.footprint(), before);
}

#[test]
fn key_must_be_of_now() {
    let (world, phone) = World::with_phone(open_policy());
    let at = |ms| IntentKey::new(ms, [1; 10]);
    let now = world.now();
    for (key, fine) in [
        (at(now.minus(10 * MINUTE)), true),
        (at(now.minus(10 * MINUTE + 1)), false),
        (at(now.plus(MINUTE)), true),
        (at(now.plus(MINUTE + 1)), false),
        (IntentKey(uuid::Uuid::from_u128(7)), false),
    ] {
        let request = world.intent(&phone, key, 1_000);
        let result = world.send(&phone, key, &request);
        if fine {
            result.unwrap();
        } else {
            assert_refused(result, ProblemCode::KeyTime);
        }
    }
}

#[test]
fn nonce_is_used_once_by_its_own_device_and_dies_after_two_minutes() {
    let (world, phone) = World::with_phone(open_policy());
    let other = world.phone("07011112222");
    let signed_with = |who: &Phone, key: IntentKey, nonce: &saifu_wire::Sensitive| {
        let message = signed::top_up(who.binding, key, Channel::Atm, yen(1_000), nonce.expose());
        TopUpRequest {
            channel: Channel::Atm,
            yen: yen(1_000),
            nonce: nonce.clone(),
            signature: Bytes(who.keys.authorization.sign_der(&message).unwrap()),
        }
    };
    let nonce = world.nonce(&phone).nonce;
    let key = world.key();
    let before = world.footprint();
    assert_refused(world.send(&other, key, &signed_with(&other, key, &nonce)), ProblemCode::StaleNonce);
    assert_eq!(world.footprint(), before);
    world.send(&phone, key, &signed_with(&phone, key, &nonce)).unwrap();
    let second = world.key();
    assert_refused(world.send(&phone, second, &signed_with(&phone, second, &nonce)), ProblemCode::StaleNonce);
    let old = world.nonce(&phone).nonce;
    world.wait(2 * MINUTE);
    assert_refused(world.send(&phone, second, &signed_with(&phone, second, &old)), ProblemCode::StaleNonce);
}

fn signed_by_the_device_key(world: &World, phone: &Phone, key: IntentKey) -> TopUpRequest {
    let mut request = world.intent(phone, key, 1_000);
    let message = signed::top_up(phone.binding, key, Channel::Atm, yen(1_000), request.nonce.expose());
    request.signature = Bytes(phone.keys.device.sign_der(&message).unwrap());
    request
}

#[test]
fn only_the_authorization_key_approves_and_a_refused_signature_uses_nothing_up() {
    let (world, phone) = World::with_phone(Policy::default());
    let key = world.key();
    let forged = signed_by_the_device_key(&world, &phone, key);
    let before = world.footprint();
    assert_refused(world.send(&phone, key, &forged), ProblemCode::InvalidSignature);
    assert_eq!(world.footprint(), before);
    let message = signed::top_up(phone.binding, key, Channel::Atm, yen(1_000), forged.nonce.expose());
    let right = TopUpRequest { signature: Bytes(phone.keys.authorization.sign_der(&message).unwrap()), ..forged };
    let other_amount = TopUpRequest { yen: yen(2_000), ..right.clone() };
    assert_refused(world.send(&phone, key, &other_amount), ProblemCode::InvalidSignature);
    world.send(&phone, key, &right).unwrap();
}

#[test]
fn control_without_key_roles_the_device_key_would_approve() {
    let mut policy = Policy::default();
    policy.without.key_role = true;
    let (world, phone) = World::with_phone(policy);
    let key = world.key();
    let forged = signed_by_the_device_key(&world, &phone, key);
    world.send(&phone, key, &forged).unwrap();
}

#[test]
fn resolving_decides_once_and_for_ever() {
    let (world, phone) = World::with_phone(Policy::default());
    let lost = world.key();
    let request = world.intent(&phone, lost, 5_000);
    let voided = world.resolve(&phone, lost);
    assert_eq!((voided.outcome.known(), &voided.top_up), (Some(Resolved::Voided), &None));
    assert_refused(world.send(&phone, lost, &request), ProblemCode::KeyVoided);
    assert_eq!(world.resolve(&phone, lost), voided);

    let key = world.key();
    let request = world.intent(&phone, key, 5_000);
    let first = world.send(&phone, key, &request).unwrap();
    let found = world.resolve(&phone, key);
    assert_eq!((found.outcome.known(), found.top_up), (Some(Resolved::Accepted), Some(first.clone())));
    world.wait(15 * MINUTE);
    let late = world.resolve(&phone, key).top_up.unwrap();
    assert_eq!((late.state.known(), late.number, late.posted_yen.0), (Some(TopUpState::Expired), None, 0));
    assert_eq!(world.send(&phone, key, &request).unwrap(), first);
}

#[test]
fn keys_of_two_accounts_do_not_meet() {
    let (world, phone) = World::with_phone(open_policy());
    let other = world.phone("07011112222");
    let key = world.key();
    let (a, b) = (world.intent(&phone, key, 1_000), world.intent(&other, key, 1_000));
    let (a, b) = (world.send(&phone, key, &a).unwrap(), world.send(&other, key, &b).unwrap());
    assert_ne!(a.number, b.number);
}

#[test]
fn hold_ends_by_itself_and_is_given_back_to_the_limits() {
    let (world, phone) = World::with_phone(Policy::default());
    world.top_up(&phone, 10_000).unwrap();
    let home = world.home(&phone);
    assert_eq!((home.top_up_left_yen.0, home.top_ups.len(), home.balance_yen.0), (0, 1, 0));
    world.wait(15 * MINUTE - 1);
    assert!(world.run_due().is_empty());
    assert_rule(world.top_up(&phone, 1), rule::TOP_UP_STARTER_DAY);
    world.wait(1);
    let done = world.run_due();
    assert_eq!((done.len(), done[0].at), (1, world.now()));
    assert!(world.run_due().is_empty());
    assert!(matches!(world.events(&phone)[0].body, EventBody::TopUpExpired { .. }));
    let home = world.home(&phone);
    assert_eq!((home.top_up_left_yen.0, home.top_ups.len()), (10_000, 0));
    world.top_up(&phone, 10_000).unwrap();
    world.assert_sound();
}

#[test]
fn limits_of_normal_hold_over_rolling_windows() {
    let (world, phone) = World::with_phone(normal_policy());
    assert_rule(world.top_up(&phone, 30_001), rule::TOP_UP_EACH);
    world.fund(&phone, 30_000);
    let problem = world.top_up(&phone, 1_000).unwrap_err();
    assert_eq!((problem.rule.as_deref(), problem.retry_after_ms), (Some(rule::TOP_UP_INTERVAL), Some(29_000)));
    world.wait(MINUTE);
    world.fund(&phone, 30_000);
    world.wait(MINUTE);
    world.fund(&phone, 30_000);
    world.wait(MINUTE);
    assert_rule(world.top_up(&phone, 1_000), rule::TOP_UP_AN_HOUR);
    world.wait(HOUR);
    let before = world.footprint();
    assert_rule(world.top_up(&phone, 10_001), rule::TOP_UP_DAY);
    let after = world.footprint();
    assert_eq!(before[..8], after[..8], "a refused limit changes nothing but hands out a nonce");
    world.fund(&phone, 10_000);
    world.wait(MINUTE);
    assert_rule(world.top_up(&phone, 1), rule::TOP_UP_DAY);
    assert_eq!(world.home(&phone).balance_yen.0, 100_000);
}

#[test]
fn beginners_and_software_devices_have_less() {
    let (world, phone) = World::with_phone(Policy::default());
    assert_rule(world.top_up(&phone, 10_001), rule::TOP_UP_STARTER_DAY);
    world.top_up(&phone, 10_000).unwrap();
    let mut policy = normal_policy();
    policy.standing.software_divisor = Some(2);
    let (world, phone) = World::with_phone(policy);
    assert_rule(world.top_up(&phone, 15_001), rule::TOP_UP_EACH);
    world.top_up(&phone, 15_000).unwrap();
}

#[test]
fn starter_ends_after_72_hours_and_a_recovery_factor() {
    let (world, phone) = World::with_phone(Policy::default());
    world.wait(3 * DAY);
    assert_rule(world.top_up(&phone, 10_001), rule::TOP_UP_STARTER_DAY);
    world.raw().execute("UPDATE account SET recovery_at = 1", []).unwrap();
    world.top_up(&phone, 10_001).unwrap();
    let (world, phone) = World::with_phone(Policy::default());
    world.raw().execute("UPDATE account SET recovery_at = 1", []).unwrap();
    world.wait(3 * DAY - 1);
    assert_rule(world.top_up(&phone, 10_001), rule::TOP_UP_STARTER_DAY);
}

#[test]
fn frozen_account_and_stopped_channel_take_nothing() {
    let (world, phone) = World::with_phone(Policy::default());
    world.switch(Switch::TopUpAtm, false);
    assert_refused(world.top_up(&phone, 1_000), ProblemCode::SwitchedOff);
    world.switch(Switch::TopUpAtm, true);
    world.freeze(&phone);
    assert_refused(world.top_up(&phone, 1_000), ProblemCode::Frozen);
    let raw = world.raw();
    assert_eq!(raw.query_row("SELECT count(*) FROM posting", [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

/// I14: windows and nonces of a clock that went back are those of the latest time seen.
#[test]
fn clock_that_goes_back_widens_nothing() {
    let (world, phone) = World::with_phone(Policy::default());
    let key = world.key();
    let dead = world.intent(&phone, key, 1_000);
    world.wait(3 * MINUTE);
    world.top_up(&phone, 10_000).unwrap();
    world.set_back(3 * MINUTE);
    assert_refused(world.send(&phone, key, &dead), ProblemCode::StaleNonce);
    world.set_back(2 * DAY);
    assert_refused(world.top_up(&phone, 1_000), ProblemCode::KeyTime);
    let first = IntentKey::new(world.now().plus(2 * DAY + 3 * MINUTE), [9; 10]);
    let request = world.intent(&phone, first, 1_000);
    assert_refused(world.send(&phone, first, &request), ProblemCode::OverLimit);
}

#[test]
fn restart_goes_on_from_the_latest_time() {
    let (world, phone) = World::with_phone(Policy::default());
    let (key, now, folder) = (world.key(), world.now(), world.folder.path().to_owned());
    let dead = world.intent(&phone, key, 1_000);
    world.wait(3 * MINUTE);
    world.run_due();
    let (binding, World { rules, folder: keep, .. }) = (phone.binding, world);
    drop(rules);
    let rules = rules_at(&folder, Policy::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let send = move |cx: &saifu_sandbox::rules::Cx<'_>| top_up::request(cx, binding, key, &dead);
    assert_refused(runtime.block_on(rules.write(now, "trace", send)).result, ProblemCode::StaleNonce);
    drop(keep);
}

#[test]
fn stranger_binding_gets_nothing() {
    let (world, phone) = World::with_phone(Policy::default());
    let other = world.phone("07011112222");
    for binding in [
        Binding { device: other.binding.device, ..phone.binding },
        Binding { epoch: 2, ..phone.binding },
        Binding { epoch: u64::MAX, ..phone.binding },
    ] {
        assert_refused(world.write(move |cx| top_up::nonce(cx, binding)), ProblemCode::UnknownDevice);
    }
}
