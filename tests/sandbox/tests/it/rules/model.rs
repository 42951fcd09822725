//! Several clients at once, doing what clients do: top up, pay, pay with a burnt code, repeat what they sent, refund,
//! reverse, wait. Nobody can say beforehand who comes first, so the check is made from what everybody was told: it
//! recomputes balances, points, limits and uniqueness, and compares them with the issuer's history and ledger.

use std::collections::BTreeMap;
use std::sync::Mutex;

use proptest::prelude::*;
use saifu_sandbox::ledger;
use saifu_sandbox::policy::Policy;
use saifu_sandbox::rules::settle;
use saifu_wire::messages::*;
use saifu_wire::{IntentKey, Name, Sensitive, SettlementId};

use super::world::*;

/// One thing a client does. Numbers pick among what there is.
#[derive(Debug, Clone)]
enum Op {
    TopUp {
        phone: usize,
        yen: i64,
        cash: i64,
    },
    Pay {
        phone: usize,
        yen: i64,
    },
    /// The same code again, under another transaction id.
    ScanAgain {
        pick: usize,
        yen: i64,
    },
    /// The same request again, as a till that lost the answer.
    Repeat {
        pick: usize,
    },
    Refund {
        pick: usize,
        yen: i64,
    },
    Void {
        pick: usize,
    },
    VoidUnknown,
    Wait {
        ms: u64,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let pick = 0usize..64;
    prop_oneof![
        3 => (0usize..2, 1i64..12_000, 1i64..13_000).prop_map(|(phone, yen, cash)| Op::TopUp { phone, yen, cash }),
        5 => (0usize..2, 1i64..6_000).prop_map(|(phone, yen)| Op::Pay { phone, yen }),
        2 => (pick.clone(), 1i64..6_000).prop_map(|(pick, yen)| Op::ScanAgain { pick, yen }),
        3 => pick.clone().prop_map(|pick| Op::Repeat { pick }),
        3 => (pick.clone(), 1i64..4_000).prop_map(|(pick, yen)| Op::Refund { pick, yen }),
        2 => pick.prop_map(|pick| Op::Void { pick }),
        1 => Just(Op::VoidUnknown),
        2 => prop_oneof![Just(61 * SECOND), Just(11 * MINUTE), Just(3 * HOUR), Just(25 * HOUR)]
            .prop_map(|ms| Op::Wait { ms }),
    ]
}

/// A request as a till can send it again.
#[derive(Debug, Clone)]
enum Asked {
    Settle(SettleRequest),
    Refund(RefundRequest),
    Deposit(Name, i64),
    Intent(usize, IntentKey, TopUpRequest),
}

/// Everything that was asked, and what was answered.
#[derive(Default)]
struct Told {
    asked: Vec<(Asked, String)>,
    voids: Vec<(Name, SettleAnswer)>,
}

struct Play {
    world: World,
    phones: Vec<Phone>,
    told: Mutex<Told>,
}

impl Play {
    fn new(policy: Policy) -> Self {
        let world = World::new(policy);
        let phones = vec![world.phone("09011110001"), world.phone("09011110002")];
        Self { world, phones, told: Mutex::default() }
    }

    fn ask(&self, asked: &Asked) -> String {
        let world = &self.world;
        match asked.clone() {
            Asked::Settle(request) => json(&world.write(move |cx| settle::settle(cx, &till(), &request)).unwrap()),
            Asked::Refund(request) => json(&world.write(move |cx| settle::refund(cx, &till(), &request)).unwrap()),
            Asked::Deposit(txid, yen) => json(&world.deposit(&txid, yen)),
            Asked::Intent(phone, key, request) => match world.send(&self.phones[phone], key, &request) {
                Ok(top_up) => json(&top_up),
                Err(problem) => json(&problem),
            },
        }
    }

    fn first(&self, asked: Asked) -> String {
        let answer = self.ask(&asked);
        self.told.lock().unwrap().asked.push((asked, answer.clone()));
        answer
    }

    fn picked<T>(&self, pick: usize, choose: impl Fn(&Asked, &str) -> Option<T>) -> Option<T> {
        let told = self.told.lock().unwrap();
        let fitting: Vec<T> = told.asked.iter().filter_map(|(asked, answer)| choose(asked, answer)).collect();
        let index = pick.checked_rem(fitting.len())?;
        fitting.into_iter().nth(index)
    }

    fn run(&self, op: &Op) {
        let world = &self.world;
        match *op {
            Op::Wait { ms } => {
                world.wait(ms);
                world.run_due();
            }
            Op::TopUp { phone, yen: amount, cash } => self.top_up(phone, amount, cash),
            Op::Pay { phone, yen: amount } => {
                let digits = Sensitive::new(world.digits(&self.phones[phone]));
                self.first(Asked::Settle(SettleRequest { txid: world.txid(), digits, yen: yen(amount) }));
            }
            Op::ScanAgain { pick, yen: amount } => {
                let digits = self.picked(pick, |asked, _| match asked {
                    Asked::Settle(request) => Some(request.digits.clone()),
                    _ => None,
                });
                if let Some(digits) = digits {
                    self.first(Asked::Settle(SettleRequest { txid: world.txid(), digits, yen: yen(amount) }));
                }
            }
            Op::Repeat { pick } => {
                if let Some(asked) = self.picked(pick, |asked, _| Some(asked.clone())) {
                    let answer = self.ask(&asked);
                    self.told.lock().unwrap().asked.push((asked, answer));
                }
            }
            Op::Refund { pick, yen: amount } => {
                let paid = self.picked(pick, |asked, answer| match asked {
                    Asked::Settle(_) => settlement(answer),
                    _ => None,
                });
                if let Some(settlement) = paid {
                    self.first(Asked::Refund(RefundRequest { txid: world.txid(), settlement, yen: yen(amount) }));
                }
            }
            Op::Void { pick } => {
                let txid = self.picked(pick, |asked, _| match asked {
                    Asked::Settle(request) => Some(request.txid.clone()),
                    _ => None,
                });
                if let Some(txid) = txid {
                    self.void(txid);
                }
            }
            Op::VoidUnknown => self.void(world.txid()),
        }
    }

    fn void(&self, txid: Name) {
        let answer = self.world.void(&till(), &txid);
        self.told.lock().unwrap().voids.push((txid, answer));
    }

    fn top_up(&self, phone: usize, amount: i64, cash: i64) {
        let world = &self.world;
        let key = world.key();
        let request = world.intent(&self.phones[phone], key, amount);
        let answer = self.first(Asked::Intent(phone, key, request));
        let Ok(held) = serde_json::from_str::<TopUp>(&answer) else { return };
        let txid = world.txid();
        let number = held.number.unwrap();
        world.authorize(&txid, number.expose(), &world.totp(&self.phones[phone]));
        self.first(Asked::Deposit(txid, cash));
    }

    /// Everything that must hold, whatever happened. Empty when it does.
    fn faults(&self, policy: &Policy) -> Vec<String> {
        let told = self.told.lock().unwrap();
        let mut faults = ledger::audit(&self.world.raw()).unwrap().faults;
        faults.extend(check_answers(&told));
        for phone in &self.phones {
            let history = self.world.history(phone);
            faults.extend(check_account(&self.world, phone, &history));
            faults.extend(check_limits(policy, &history));
        }
        faults
    }
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap()
}

fn settled(answer: &str) -> Option<SettleAnswer> {
    serde_json::from_str(answer).ok()
}

fn settlement(answer: &str) -> Option<SettlementId> {
    settled(answer).filter(|answer| answer.result == Outcome::Approved)?.settlement
}

/// Replays repeat, codes pay once, refunds stay within their payment: from the answers alone.
fn check_answers(told: &Told) -> Vec<String> {
    let mut faults = Vec::new();
    let mut first: BTreeMap<String, &str> = BTreeMap::new();
    let mut paid_by: BTreeMap<String, SettlementId> = BTreeMap::new();
    let mut paid: BTreeMap<SettlementId, i64> = BTreeMap::new();
    let mut back: BTreeMap<SettlementId, i64> = BTreeMap::new();
    let mut counted = std::collections::BTreeSet::new();
    let voided = |txid: &Name| told.voids.iter().any(|(id, _)| id == txid);
    for (asked, answer) in &told.asked {
        let (question, till_txid) = match asked {
            Asked::Settle(request) => (json(request), Some(&request.txid)),
            Asked::Refund(request) => (json(request), None),
            Asked::Deposit(txid, yen) => (format!("{txid} {yen}"), None),
            Asked::Intent(_, key, _) => (key.to_string(), None),
        };
        // A refused intent and a declined deposit use nothing up: only what was accepted has to repeat.
        let refused = match asked {
            Asked::Intent(..) => answer.contains("\"status\""),
            Asked::Deposit(..) => settlement(answer).is_none(),
            Asked::Settle(_) | Asked::Refund(_) => false,
        };
        let reversed = till_txid.is_some_and(voided) && answer.contains("\"voided\"");
        if !refused {
            let before = *first.entry(question).or_insert(answer);
            if before != answer && !reversed {
                faults.push(format!("a repeat was answered differently: {before} then {answer}"));
            }
        }
        let Some(id) = settlement(answer) else { continue };
        if !counted.insert(id) {
            continue;
        }
        let yen = settled(answer).map_or(0, |it| it.yen.0);
        match asked {
            Asked::Settle(request) => {
                paid.insert(id, yen);
                if paid_by.insert(request.digits.expose().to_owned(), id).is_some() {
                    faults.push("a code paid twice".into());
                }
            }
            Asked::Refund(request) => *back.entry(request.settlement).or_default() += yen,
            Asked::Deposit(..) | Asked::Intent(..) => {}
        }
    }
    for (id, yen) in back {
        if paid.get(&id).is_none_or(|paid| yen > *paid) {
            faults.push(format!("¥{yen} went back for {id}"));
        }
    }
    faults
}

/// I7 and I15 for one account, from its history.
fn check_account(world: &World, phone: &Phone, history: &[HistoryEntry]) -> Vec<String> {
    let mut faults = Vec::new();
    let home = world.home(phone);
    let sum = |of: &dyn Fn(&HistoryEntry) -> i64| history.iter().map(of).sum::<i64>();
    if sum(&|entry| entry.yen.0) != home.balance_yen.0 || sum(&|entry| entry.points.0) != home.points.0 {
        faults.push("the history does not add up to the balance".into());
    }
    let events = world.events(phone);
    if events.iter().zip(1u64..).any(|(event, number)| event.number != number) {
        faults.push("event numbers have a gap".into());
    }
    if events.iter().any(|event| event.balance_yen.0 < 0) {
        faults.push("the balance fell below nothing".into());
    }
    for paid in history.iter().filter(|entry| entry.kind == EntryKind::Payment) {
        let parts = || history.iter().filter(|entry| entry.original == Some(paid.id));
        let (back, points) = parts().fold((0, 0), |sum, entry| (sum.0 + entry.yen.0, sum.1 + entry.points.0));
        let (left, points_left) = (-paid.yen.0 - back, paid.points.0 + points);
        if left < 0 || points_left < 0 || points_left > left / 200 {
            faults.push(format!("{} leaves its payer richer: ¥{left} paid, {points_left} points kept", paid.id));
        }
    }
    let put_in = sum(&|entry| if entry.kind == EntryKind::TopUp { entry.yen.0 } else { 0 });
    if home.balance_yen.0 > put_in {
        faults.push("more came out than was put in".into());
    }
    faults
}

/// Limits of *Starter*, recomputed over the history alone.
fn check_limits(policy: &Policy, history: &[HistoryEntry]) -> Vec<String> {
    let reversed: Vec<_> =
        history.iter().filter(|entry| entry.kind == EntryKind::Reversal).filter_map(|entry| entry.original).collect();
    let of = |kind: EntryKind| history.iter().filter(move |entry| entry.kind == kind);
    let sum_of_day = |entries: &[&HistoryEntry]| {
        let days = entries.iter().map(|last| {
            let within = entries.iter().filter(|it| it.at <= last.at && last.at.since(it.at) < DAY);
            within.map(|it| it.yen.0.abs()).sum::<i64>()
        });
        days.max().unwrap_or(0)
    };
    let paid: Vec<_> = of(EntryKind::Payment).filter(|entry| !reversed.contains(&entry.id)).collect();
    let topped_up: Vec<_> = of(EntryKind::TopUp).collect();
    let mut faults = Vec::new();
    if policy.pay.starter_day_yen.is_some_and(|limit| sum_of_day(&paid) > limit) {
        faults.push("more was paid in a day than the limit".into());
    }
    if policy.top_up.starter_day_yen.is_some_and(|limit| sum_of_day(&topped_up) > limit) {
        faults.push("more was topped up in a day than the limit".into());
    }
    let close = |pair: &[&HistoryEntry]| pair[1].at.since(pair[0].at) < policy.top_up.interval_ms.unwrap_or(0);
    if topped_up.windows(2).any(close) {
        faults.push("two top-ups came too close".into());
    }
    faults
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn concurrent_clients_never_break_the_books(clients in prop::collection::vec(prop::collection::vec(op(), 1..40), 3)) {
        let play = Play::new(Policy::default());
        play.run(&Op::TopUp { phone: 0, yen: 10_000, cash: 10_000 });
        std::thread::scope(|scope| {
            for ops in &clients {
                let play = &play;
                scope.spawn(move || ops.iter().for_each(|op| play.run(op)));
            }
        });
        prop_assert_eq!(play.faults(&Policy::default()), Vec::<String>::new());
    }
}

/// A story that touches every defence, and what the checker says of it.
fn story(policy: Policy) -> Vec<String> {
    let play = Play::new(policy);
    let ops = [
        Op::TopUp { phone: 0, yen: 10_000, cash: 10_000 },
        Op::Pay { phone: 0, yen: 2_000 },
        Op::ScanAgain { pick: 0, yen: 2_000 },
        Op::Repeat { pick: 2 },
        Op::Refund { pick: 0, yen: 1_500 },
        Op::Refund { pick: 0, yen: 1_500 },
        Op::Pay { phone: 0, yen: 6_000 },
        Op::Pay { phone: 0, yen: 3_500 },
        Op::Wait { ms: 30 * SECOND },
        Op::TopUp { phone: 0, yen: 5_000, cash: 5_000 },
    ];
    ops.iter().for_each(|op| play.run(op));
    play.faults(&Policy::default())
}

#[test]
fn controls_with_one_defence_removed_the_checker_notices() {
    assert_eq!(story(Policy::default()), Vec::<String>::new());
    type Defence = fn(&mut Policy);
    let cases: [(Defence, &[&str]); 5] = [
        (|policy| policy.without.code_burn = true, &["a code paid twice"]),
        (|policy| policy.without.replay_lookup = true, &["a repeat was answered differently"]),
        (|policy| policy.without.refund_sum = true, &["richer"]),
        (|policy| policy.pay.starter_day_yen = None, &["more was paid in a day"]),
        (
            |policy| (policy.top_up.starter_day_yen, policy.top_up.interval_ms) = (None, None),
            &["more was topped up in a day", "too close"],
        ),
    ];
    for (take_away, noticed) in cases {
        let mut policy = Policy::default();
        take_away(&mut policy);
        let faults = story(policy);
        assert!(noticed.iter().all(|what| faults.iter().any(|fault| fault.contains(what))), "{noticed:?}: {faults:?}");
    }
}
