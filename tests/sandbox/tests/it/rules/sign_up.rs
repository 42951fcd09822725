use saifu_crypto::KeyPair;
use saifu_rig::Keys;
use saifu_sandbox::policy::{Policy, rule};
use saifu_sandbox::rules::{session, sign_up};
use saifu_wire::messages::{EventBody, NoticeKind, SessionRequest, Standing, Switch};
use saifu_wire::signed;
use saifu_wire::{Bytes, Open, ProblemCode};

use super::world::*;

#[test]
fn right_code_opens_an_empty_starter_account() {
    let (world, phone) = World::with_phone(Policy::default());
    let home = world.home(&phone);
    assert_eq!((home.balance_yen.0, home.points.0, home.standing.known()), (0, 0, Some(Standing::Starter)));
    assert_eq!((home.frozen, home.last_event, phone.binding.epoch), (false, 0, 1));
    assert_eq!((home.top_up_left_yen.0, home.pay_left_yen.0), (10_000, 10_000));
    world.assert_sound();
}

#[test]
fn code_dies_after_three_wrong_tries_even_for_the_right_one() {
    let world = World::new(Policy::default());
    let (applicant, begun, right) = world.applicant();
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for _ in 0..3 {
        assert_refused(world.confirm(&applicant, begun.request, wrong), ProblemCode::WrongCode);
    }
    let refused = assert_refused(world.confirm(&applicant, begun.request, &right), ProblemCode::TooManyTries);
    assert_eq!(refused.rule.as_deref(), Some(rule::SIGN_UP_TRIES));
    assert_eq!(world.footprint().iter().map(|(_, count)| count).sum::<i64>(), 0);
}

#[test]
fn code_dies_after_five_minutes_and_an_unknown_request_looks_the_same() {
    let world = World::new(Policy::default());
    let (applicant, begun, code) = world.applicant();
    world.wait(5 * MINUTE);
    let late = world.confirm(&applicant, begun.request, &code).unwrap_err();
    let unknown = world.confirm(&applicant, saifu_wire::RequestId(uuid::Uuid::nil()), &code).unwrap_err();
    assert_eq!((late.code.known(), &late), (Some(ProblemCode::SignUpExpired), &unknown));
}

#[test]
fn code_serves_only_the_device_key_that_asked() {
    let world = World::new(Policy::default());
    let (applicant, thief) = (Applicant::new(NUMBER), Applicant::new(NUMBER));
    let begun = world.begin(&applicant).unwrap();
    let code = world.code_for(&applicant.number);
    assert_refused(world.confirm(&thief, begun.request, &code), ProblemCode::InvalidSignature);
    let by_wrong_role = Applicant {
        keys: Keys { device: applicant.keys.authorization, authorization: applicant.keys.device },
        ..thief
    };
    assert_refused(world.confirm(&by_wrong_role, begun.request, &code), ProblemCode::InvalidSignature);
}

#[test]
fn killed_phone_gets_its_answer_again_for_a_day() {
    let world = World::new(Policy::default());
    let (applicant, begun, code) = world.applicant();
    let first = world.confirm(&applicant, begun.request, &code).unwrap();
    let before = world.footprint();
    world.wait(DAY - 1);
    assert_eq!(world.confirm(&applicant, begun.request, &code).unwrap(), first);
    assert_eq!(world.footprint(), before);
    world.wait(1);
    assert_refused(world.confirm(&applicant, begun.request, &code), ProblemCode::SignUpExpired);
}

#[test]
fn phone_that_lost_its_account_signs_up_again_and_gets_it_back() {
    let world = World::new(Policy::default());
    let applicant = Applicant::new(NUMBER);
    let begun = world.begin(&applicant).unwrap();
    let first = world.confirm(&applicant, begun.request, &world.code_for(&applicant.number)).unwrap();
    world.wait(2 * DAY);
    let again = world.begin(&applicant).unwrap();
    let code = world.code_for(&applicant.number);
    let before = world.inbox(&applicant.number).len();
    assert_eq!(world.confirm(&applicant, again.request, &code).unwrap(), first);
    assert_eq!(world.inbox(&applicant.number).len(), before, "nobody is warned of his own phone");
    world.assert_sound();
    // The control: neither another phone with the right code nor the same keys for another number get there.
    world.wait(DAY);
    let other = Applicant::new(NUMBER);
    let begun = world.begin(&other).unwrap();
    assert_refused(world.confirm(&other, begun.request, &world.code_for(&other.number)), ProblemCode::NumberTaken);
    let number = Applicant::new("07011112222").number;
    assert_refused(world.begin(&Applicant { number, ..applicant }), ProblemCode::DeviceInUse);
}

#[test]
fn newer_request_of_the_same_phone_replaces_the_older() {
    let world = World::new(Policy::default());
    let applicant = Applicant::new(NUMBER);
    let first = world.begin(&applicant).unwrap();
    let old_code = world.code_for(&applicant.number);
    world.wait(MINUTE);
    let second = world.begin(&applicant).unwrap();
    assert_refused(world.confirm(&applicant, first.request, &old_code), ProblemCode::SignUpExpired);
    let new_code = world.code_for(&applicant.number);
    world.confirm(&applicant, second.request, &new_code).unwrap();
}

#[test]
fn owner_is_told_and_nothing_changes_when_the_number_is_taken() {
    let world = World::new(Policy::default());
    let owner = world.phone(NUMBER);
    world.wait(MINUTE);
    let (before, home) = (world.footprint(), world.home(&owner));
    let newcomer = Applicant::new(NUMBER);
    let begun = world.begin(&newcomer).unwrap();
    let code = world.code_for(&newcomer.number);
    let request = newcomer.confirmation(begun.request, &code);
    let repeat = request.clone();
    let answered = world.answered(move |cx| sign_up::confirm(cx, &request, THUMBPRINT));
    assert_eq!(answered.touched, vec![owner.binding.account]);
    assert_refused(answered.result, ProblemCode::NumberTaken);
    assert_refused(world.write(move |cx| sign_up::confirm(cx, &repeat, THUMBPRINT)), ProblemCode::NumberTaken);

    let told = world.events(&owner);
    assert_eq!(told.len(), 1, "told once, not again at the repeat");
    let EventBody::Notice { notice: Open::Known(NoticeKind::Security), text } = &told[0].body else {
        panic!("{told:?}")
    };
    assert!(text.contains("…5678") && text.contains("freeze") && text.contains("2027-01-15"), "{text}");
    let inbox = world.inbox(&owner.number);
    assert!(inbox.last().unwrap().text.contains(text) && inbox.last().unwrap().code.is_none());

    let after = world.footprint();
    assert!(before.iter().zip(&after).all(|(b, a)| b == a || b.0 == "event"), "{before:?} {after:?}");
    assert_eq!(world.home(&owner).balance_yen, home.balance_yen);
    let binding = owner.binding;
    world.read(move |cx| session::check(cx, binding)).unwrap();
}

#[test]
fn repeated_request_gets_its_answer_again_and_one_message() {
    let world = World::new(Policy::default());
    let applicant = Applicant::new("08011112222");
    let first = world.begin(&applicant).unwrap();
    world.wait(29 * SECOND);
    assert_eq!(world.begin(&applicant).unwrap(), first);
    let other = world.begin(&Applicant::new("08011112222")).unwrap_err();
    assert_eq!(other.code, ProblemCode::TooSoon, "only the same keys are the same request");
    assert_eq!(world.inbox(&applicant.number).len(), 1);
    world.wait(SECOND);
    assert_eq!(world.begin(&applicant).unwrap_err().code, ProblemCode::TooSoon);
}

/// I8: until the number is proven, nothing tells whether it has an account.
#[test]
fn answers_are_equal_whether_or_not_the_number_has_an_account() {
    let world = World::new(Policy::default());
    world.phone("08011112222");
    world.wait(DAY);
    let mut transcripts = Vec::new();
    for number in ["08011112222", "08033334444"] {
        let applicant = Applicant::new(number);
        let mut transcript = Vec::new();
        let mut last = None;
        for step in 0..7u64 {
            let answer = world.begin(&applicant);
            transcript.push(match &answer {
                Ok(answer) => {
                    let (expires, resend) = (answer.expires_at.since(world.now()), answer.resend_at.since(world.now()));
                    format!("{expires} {resend}")
                }
                Err(problem) => serde_json::to_string(problem).unwrap(),
            });
            last = answer.ok().map(|it| it.request).or(last);
            // Once too early, then as soon as allowed, five times in all and once more.
            world.wait(if step == 0 { 30 * SECOND } else { MINUTE });
        }
        for _ in 0..4 {
            let refused = world.confirm(&applicant, last.unwrap(), "no-code").unwrap_err();
            transcript.push(serde_json::to_string(&refused).unwrap());
        }
        transcripts.push(transcript);
    }
    assert!(transcripts[0].iter().any(|line| line.contains("too-soon")));
    assert!(transcripts[0].iter().any(|line| line.contains(rule::SIGN_UP_NUMBER_A_DAY)));
    assert!(transcripts[0].iter().any(|line| line.contains("too-many-tries")));
    assert_eq!(transcripts[0], transcripts[1]);
}

#[test]
fn asking_writes_the_same_rows_whether_or_not_the_number_has_an_account() {
    let world = World::new(Policy::default());
    world.phone("08011112222");
    world.wait(MINUTE);
    let rows = |world: &World| {
        let raw = world.raw();
        ["sign_up", "sms", "event", "account"].map(|table| {
            raw.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).unwrap()
        })
    };
    let mut grown = Vec::new();
    for number in ["08011112222", "08033334444"] {
        let before = rows(&world);
        world.begin(&Applicant::new(number)).unwrap();
        let after = rows(&world);
        grown.push([0, 1, 2, 3].map(|index| after[index] - before[index]));
    }
    assert_eq!(grown, vec![[1, 1, 0, 0]; 2]);
}

#[test]
fn counters_of_numbers_prefixes_and_all_hold_over_rolling_windows() {
    let mut policy = Policy::default();
    policy.sign_up.prefix_an_hour = Some(7);
    policy.sign_up.all_an_hour = Some(9);
    let world = World::new(policy);
    let ask = |number: &str| world.begin(&Applicant::new(number));
    ask(NUMBER).unwrap();
    world.wait(MINUTE - 1);
    assert_rule(ask(NUMBER), rule::SIGN_UP_RESEND);
    world.wait(1);
    for _ in 0..4 {
        ask(NUMBER).unwrap();
        world.wait(MINUTE);
    }
    assert_rule(ask(NUMBER), rule::SIGN_UP_NUMBER_A_DAY);
    ask("09012300001").unwrap();
    ask("09012300002").unwrap();
    assert_rule(ask("09012300003"), rule::SIGN_UP_PREFIX_AN_HOUR);
    ask("07011110001").unwrap();
    ask("07011110002").unwrap();
    assert_rule(ask("07011110003"), rule::SIGN_UP_ALL_AN_HOUR);
    world.wait(HOUR);
    ask("07011110003").unwrap();
    assert_rule(ask(NUMBER), rule::SIGN_UP_NUMBER_A_DAY);
    world.wait(DAY - HOUR);
    ask(NUMBER).unwrap();
}

#[test]
fn one_key_serves_one_account_and_one_role() {
    let (world, phone) = World::with_phone(Policy::default());
    let pkcs8 = |pair: &KeyPair| KeyPair::from_pkcs8(pair.pkcs8().duplicate()).unwrap();
    for (device, authorization) in [
        (pkcs8(&phone.keys.device), KeyPair::generate().unwrap()),
        (KeyPair::generate().unwrap(), pkcs8(&phone.keys.authorization)),
        (pkcs8(&phone.keys.authorization), pkcs8(&phone.keys.device)),
    ] {
        let applicant = Applicant { keys: Keys { device, authorization }, ..Applicant::new("07011112222") };
        assert_refused(world.begin(&applicant), ProblemCode::DeviceInUse);
    }
    let one = KeyPair::generate().unwrap();
    let twice = Applicant { keys: Keys { device: pkcs8(&one), authorization: one }, ..Applicant::new("07011112222") };
    assert_refused(world.begin(&twice), ProblemCode::InvalidRequest);
}

#[test]
fn sign_up_needs_the_device_keys_own_signature() {
    let world = World::new(Policy::default());
    let applicant = Applicant::new(NUMBER);
    let mut request = applicant.request();
    let message = signed::sign_up(&request.number, &request.device_spki.0, &request.authorization_spki.0, THUMBPRINT);
    request.signature = Bytes(applicant.keys.authorization.sign_der(&message).unwrap());
    let forged = request.clone();
    assert_refused(world.write(move |cx| sign_up::begin(cx, &forged, THUMBPRINT)), ProblemCode::InvalidSignature);
    request.signature = Bytes(applicant.keys.device.sign_der(&message).unwrap());
    assert_refused(world.write(move |cx| sign_up::begin(cx, &request, "other key")), ProblemCode::InvalidSignature);
}

#[test]
fn stopped_sign_up_opens_no_account() {
    let world = World::new(Policy::default());
    let (applicant, begun, code) = world.applicant();
    world.switch(Switch::SignUp, false);
    assert_refused(world.begin(&Applicant::new("07011112222")), ProblemCode::SwitchedOff);
    let refused = assert_refused(world.confirm(&applicant, begun.request, &code), ProblemCode::SwitchedOff);
    assert_eq!(refused.detail.as_deref(), Some("drill"));
    world.switch(Switch::SignUp, true);
    world.confirm(&applicant, begun.request, &code).unwrap();
}

#[test]
fn session_opens_only_by_the_live_device_key_over_this_very_nonce() {
    let (world, phone) = World::with_phone(Policy::default());
    let request = |by: &KeyPair, nonce: &str, epoch: u64| {
        let binding = saifu_sandbox::rules::Binding { epoch, ..phone.binding };
        let message = signed::session(nonce, binding, THUMBPRINT, "0.1.0");
        let signature = Bytes(by.sign_der(&message).unwrap());
        SessionRequest { signature, ..phone.keys.session(binding, nonce, THUMBPRINT) }
    };
    let open = |request: SessionRequest| world.write(move |cx| session::open(cx, &request, "nonce", THUMBPRINT));
    assert_eq!(open(request(&phone.keys.device, "nonce", 1)).unwrap(), phone.binding);
    assert_refused(open(request(&phone.keys.device, "older", 1)), ProblemCode::InvalidSignature);
    assert_refused(open(request(&phone.keys.authorization, "nonce", 1)), ProblemCode::InvalidSignature);
    assert_refused(open(request(&phone.keys.device, "nonce", 2)), ProblemCode::UnknownDevice);
    let long = SessionRequest { app_version: "1".repeat(33), ..request(&phone.keys.device, "nonce", 1) };
    assert_refused(open(long), ProblemCode::InvalidRequest);
    world.switch(Switch::Session, false);
    assert_refused(open(request(&phone.keys.device, "nonce", 1)), ProblemCode::SwitchedOff);
    let binding = phone.binding;
    world.read(move |cx| session::check(cx, binding)).unwrap();
}

#[test]
fn phone_numbers_and_messages_never_rest_in_clear() {
    let (world, phone) = World::with_phone(Policy::default());
    world.raw().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let file = std::fs::read(world.folder.path().join("issuer.db")).unwrap();
    for secret in ["9012345678", "signs a new phone up"] {
        assert!(!file.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} is in the file");
    }
    let found = |text: &str| file.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(found(&phone.binding.account.to_string()), "the search itself works");
}
