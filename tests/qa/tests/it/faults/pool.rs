//! Many runs on some issuers at once: a run mostly waits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::plan::{Pace, Run};
use super::verdict::{Verdict, travel};
use super::world::World;

/// A run that takes longer has no end.
const AT_MOST: Duration = Duration::from_secs(240);

/// All of them, on so many issuers, with what came of each.
pub(crate) fn run_all(runs: &[Run], worlds: usize, pace: Pace) -> Vec<Verdict> {
    let next = AtomicUsize::new(0);
    let verdicts: Mutex<Vec<Option<Verdict>>> = Mutex::new(runs.iter().map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..worlds.min(runs.len()) {
            scope.spawn(|| {
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
                let mut world = None;
                loop {
                    let place = next.fetch_add(1, Ordering::SeqCst);
                    let Some(run) = runs.get(place) else { return };
                    let verdict = one(&runtime, &mut world, run, pace);
                    verdicts.lock().unwrap()[place] = Some(verdict);
                }
            });
        }
    });
    verdicts.into_inner().unwrap().into_iter().map(Option::unwrap).collect()
}

/// One run; after one that broke off the next begins with an issuer of its own.
fn one(runtime: &tokio::runtime::Runtime, world: &mut Option<World>, run: &Run, pace: Pace) -> Verdict {
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let mut here = world.take().unwrap_or_else(|| World::start(pace));
        let verdict = runtime.block_on(async { tokio::time::timeout(AT_MOST, travel(&mut here, run)).await });
        verdict.ok().map(|verdict| (here, verdict))
    }));
    match ended {
        Ok(Some((here, verdict))) => {
            *world = Some(here);
            verdict
        }
        Ok(None) => Verdict { open: vec![format!("no end after {AT_MOST:?}")], ..Verdict::default() },
        Err(panic) => {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let what = format!("the run broke off: {}", said.unwrap_or_default());
            Verdict { needed_a_person: vec![what], ..Verdict::default() }
        }
    }
}
