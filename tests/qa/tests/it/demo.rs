//! The demo itself, as a person or a script starts it.

use crate::support::common::{bare, run};

#[test]
fn demo_plays_every_step_and_ends_with_the_right_balance() {
    let document = run(bare(["demo", "--json"])).done();
    let steps = document["steps"].as_array().unwrap();
    assert!(steps.len() >= 10 && steps.iter().all(|step| step["ok"] == true && step["ms"].is_u64()), "{document}");
    assert_eq!(document["balance_yen"], 3_720);
}

#[test]
fn bare_command_is_the_demo_and_draws_its_picture() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("demo.svg");
    let ran = run(bare(["demo", "--out", picture.to_str().unwrap()]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("balance ¥3,720") && !ran.stdout.contains('\x1b'), "{ran:?}");
    let symbols = saifu_qa::picture::read(&picture).unwrap();
    assert_eq!(symbols.len(), 2, "the drawn code can be scanned: {symbols:?}");
    let bare = run(bare::<&str>([]));
    assert_eq!(bare.code, Some(0), "{bare:?}");
    assert!(bare.stdout.contains("balance ¥3,720"), "{bare:?}");
}
