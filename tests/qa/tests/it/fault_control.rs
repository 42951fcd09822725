//! `saifu sandbox fault …`: the command line of the faults. What wallets and tills make of them is in `faults.rs`.

use crate::support::common::{Home, eventually};

#[test]
fn fault_strikes_the_wallet_it_names_and_no_other() {
    let home = Home::ready();
    home.sign_up("other", "090-1234-5679");
    let added = home.saifu("sandbox fault add --on intent-nonce --from me --do status:503 --times 3").done();
    assert_eq!(
        (added["faults"][0]["on"].as_str(), added["faults"][0]["struck"].as_u64()),
        (Some("intent-nonce"), Some(0))
    );
    home.saifu("wallet topup atm --yen 1000 --yes --wallet other").done();
    assert_eq!(home.saifu("sandbox fault list").done()["faults"][0]["struck"], 0);
    home.saifu("wallet topup atm --yen 1000 --yes").refused(4, "no-answer");
    assert_eq!(home.saifu("sandbox fault list").done()["faults"][0]["struck"], 3);
    home.saifu("sandbox fault clear").done();
    home.saifu("wallet topup atm --yen 1000 --yes").done();
}

#[test]
fn terminals_are_named_and_senseless_faults_end_with_exit_2() {
    let home = Home::running();
    let added = home.saifu("sandbox fault add --on settle --from register-1 --do reorder --chance 0.5").done();
    assert_eq!(added["faults"][0]["from"], "register-1");
    home.saifu("sandbox fault add --on settle --from nobody --do hang").refused(2, "bad-input");
    for words in ["--on pay --do hang", "--on settle --do explode", "--on settle --do hang --times 0"] {
        let ran = home.saifu(&format!("sandbox fault add {words}"));
        assert_eq!(ran.code, Some(2), "{ran:?}");
    }
    home.saifu("sandbox fault add --on sign-up --from register-1 --do hang").refused(3, "invalid-request");
}

#[test]
fn killed_issuer_is_gone_and_comes_back_without_faults() {
    let home = Home::ready();
    home.saifu("sandbox fault add --on home --do kill-issuer --times 1").done();
    let ran = home.saifu("wallet refresh");
    assert_eq!(ran.code, Some(4), "{ran:?}");
    eventually("the issuer is gone", || home.saifu("sandbox clock").code == Some(4));
    home.start("sandbox");
    assert_eq!(home.saifu("sandbox fault list").done()["faults"].as_array().unwrap().len(), 0);
    home.saifu("wallet refresh").done();
}
