use saifu_sandbox::policy::Policy;
use saifu_sandbox::rules::activation;
use saifu_wire::messages::{ActivationRequest, Outcome};
use saifu_wire::{Bytes, ProblemCode};

use super::world::*;

#[test]
fn confirming_repeats_its_answer_and_replaces_only_then() {
    let (world, phone) = World::with_phone(open_policy());
    let binding = phone.binding;
    let (confirmation, totp) = world.begin_activation(&phone);
    let held = world.top_up(&phone, 1_000).unwrap().number.unwrap();
    // The phone lost the answer: its current secrets still work.
    let txid = world.txid();
    assert_eq!(world.authorize(&txid, held.expose(), &world.totp(&phone)).result, Outcome::Approved);
    let confirm = |it: saifu_wire::messages::ActivationConfirmRequest| {
        world.write(move |cx| activation::confirm(cx, binding, &it))
    };
    let first = confirm(confirmation.clone()).unwrap();
    assert_eq!(confirm(confirmation).unwrap(), first);
    let held = world.top_up(&phone, 1_000).unwrap().number.unwrap();
    let old = world.totp(&phone);
    assert_eq!(world.authorize(&world.txid(), held.expose(), &old).result, Outcome::Declined);
    let renewed = Phone { totp: std::sync::Arc::new(totp), ..phone };
    assert_eq!(world.authorize(&world.txid(), held.expose(), &world.totp(&renewed)).result, Outcome::Approved);
}

#[test]
fn first_use_of_pending_secrets_confirms_them() {
    let (world, phone) = World::with_phone(open_policy());
    let (_, totp) = world.begin_activation(&phone);
    let renewed = Phone { totp: std::sync::Arc::new(totp), ..phone.clone() };
    let held = world.top_up(&phone, 1_000).unwrap().number.unwrap();
    assert_eq!(world.authorize(&world.txid(), held.expose(), &world.totp(&renewed)).result, Outcome::Approved);
    let held = world.top_up(&phone, 1_000).unwrap().number.unwrap();
    let old = world.totp(&phone);
    assert_eq!(world.authorize(&world.txid(), held.expose(), &old).result, Outcome::Declined);
}

#[test]
fn newer_agreement_replaces_the_pending_one() {
    let (world, phone) = World::with_phone(Policy::default());
    let binding = phone.binding;
    let (older, _) = world.begin_activation(&phone);
    let (newer, _) = world.begin_activation(&phone);
    let confirm = |it: saifu_wire::messages::ActivationConfirmRequest| {
        world.write(move |cx| activation::confirm(cx, binding, &it))
    };
    assert_refused(confirm(older), ProblemCode::NoActivation);
    confirm(newer).unwrap();
}

#[test]
fn confirming_takes_the_device_key_and_the_right_proof() {
    let (world, phone) = World::with_phone(Policy::default());
    let other = world.phone("07011112222");
    let (right, _) = world.begin_activation(&phone);
    let confirm = |it: saifu_wire::messages::ActivationConfirmRequest, by: &Phone| {
        let binding = by.binding;
        world.write(move |cx| activation::confirm(cx, binding, &it))
    };
    let mut wrong_mac = right.clone();
    wrong_mac.mac.0[0] ^= 1;
    assert_refused(confirm(wrong_mac, &phone), ProblemCode::NoActivation);
    let no_mac = saifu_wire::messages::ActivationConfirmRequest { mac: Bytes(Vec::new()), ..right.clone() };
    assert_refused(confirm(no_mac, &phone), ProblemCode::NoActivation);
    let mut wrong_key = right.clone();
    wrong_key.signature = Bytes(phone.keys.authorization.sign_der(b"anything").unwrap());
    assert_refused(confirm(wrong_key, &phone), ProblemCode::InvalidSignature);
    assert_refused(confirm(right.clone(), &other), ProblemCode::NoActivation);
    confirm(right, &phone).unwrap();
}

#[test]
fn point_off_the_curve_is_refused() {
    let world = World::new(Policy::default());
    let binding = world.phone(NUMBER).binding;
    for point in [vec![], vec![4; 65], vec![4; 64]] {
        let request = ActivationRequest { phone_point: Bytes(point) };
        assert_refused(world.write(move |cx| activation::begin(cx, binding, &request)), ProblemCode::InvalidRequest);
    }
}
