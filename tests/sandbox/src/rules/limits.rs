//! The limits: which apply to an account, and what they have seen. Asked in the transaction that writes, over rolling
//! windows of the issuer's time that have no upper end, so that a clock that went back never widens one. Holds count.
//! The smallest limit that applies decides.

use rusqlite::params;
use saifu_wire::messages::Standing;
use saifu_wire::{Problem, ProblemCode, Yen};

use super::account::Customer;
use super::context::ms;
use super::{Cx, Refused};
use crate::policy::{Policy, rule};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// One limit and what it has seen, this request included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) rule: &'static str,
    /// Yen, or a count; for an interval, the milliseconds that must have passed.
    pub(crate) limit: i64,
    pub(crate) seen: i64,
    pub(crate) measure: Measure,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Yen of this request alone.
    Each,
    /// Yen in a window.
    Sum,
    /// Requests in a window.
    Count,
    /// Milliseconds since the last one.
    Interval,
}

impl Figure {
    pub(crate) fn allows(&self) -> bool {
        match self.measure {
            Measure::Interval => self.seen >= self.limit,
            Measure::Each | Measure::Sum | Measure::Count => self.seen <= self.limit,
        }
    }

    fn problem(&self) -> Problem {
        let detail = match self.measure {
            Measure::Each => format!("at most {} each", Yen(self.limit)),
            Measure::Sum => format!("at most {} in the period of {}", Yen(self.limit), self.rule),
            Measure::Count => format!("at most {} in the period of {}", self.limit, self.rule),
            Measure::Interval => format!("at least {} seconds apart", self.limit / 1_000),
        };
        let problem = Problem::new(ProblemCode::OverLimit).rule(self.rule).detail(detail);
        match self.measure {
            Measure::Interval => {
                problem.retry_after(u64::try_from(self.limit.saturating_sub(self.seen)).unwrap_or_default())
            }
            Measure::Each | Measure::Sum | Measure::Count => problem,
        }
    }
}

/// Notes every limit; whether all of them allow.
pub(crate) fn allow(cx: &Cx<'_>, figures: &[Figure]) -> bool {
    for figure in figures {
        cx.weigh(figure.rule, figure.limit, figure.seen, figure.allows());
    }
    figures.iter().all(Figure::allows)
}

/// Refuses by the first limit that does not allow.
pub(crate) fn require(cx: &Cx<'_>, figures: &[Figure]) -> Result<(), Refused> {
    allow(cx, figures);
    figures.iter().find(|figure| !figure.allows()).map_or(Ok(()), |figure| Err(figure.problem().into()))
}

/// What the windows leave, in yen. For figures of a request of ¥0.
pub(crate) fn left(figures: &[Figure]) -> i64 {
    let sums = figures.iter().filter(|figure| figure.measure == Measure::Sum);
    sums.map(|figure| figure.limit.saturating_sub(figure.seen).max(0)).min().unwrap_or(saifu_wire::Amount::MAX)
}

/// Which row of the table applies.
pub(crate) fn standing(cx: &Cx<'_>, customer: &Customer) -> Standing {
    let policy = &cx.policy.standing;
    let young = policy.starter_ms.is_some_and(|ms| cx.now < customer.created_at.plus(ms));
    let alone = policy.starter_until_recovery_factor && !customer.recovery;
    if young || alone { Standing::Starter } else { Standing::Normal }
}

/// The numbers as they apply to this account and its device: what the rules ask, and what the control API's policy shows.
pub(crate) fn in_force(cx: &Cx<'_>, customer: &Customer) -> Policy {
    let mut policy = cx.policy.clone();
    if let Some(by) = policy.standing.software_divisor.filter(|_| !customer.hardware) {
        let (top_up, pay) = (&mut policy.top_up, &mut policy.pay);
        for limit in [&mut top_up.each_yen, &mut top_up.day_yen, &mut pay.each_yen, &mut pay.hour_yen] {
            *limit = limit.map(|yen| yen.checked_div(by).unwrap_or(yen));
        }
    }
    if standing(cx, customer) != Standing::Starter {
        (policy.top_up.starter_day_yen, policy.pay.starter_day_yen) = (None, None);
        policy.top_up.starter_one_source = false;
    }
    let pay = &policy.pay;
    let caps = [policy.code.cap_yen, pay.each_yen, pay.hour_yen, pay.day_yen, pay.starter_day_yen];
    policy.code.cap_yen = caps.into_iter().flatten().min();
    policy
}

fn figures<const N: usize>(all: [(&'static str, Measure, Option<i64>, i64); N]) -> Vec<Figure> {
    let applying = all
        .into_iter()
        .filter_map(|(rule, measure, limit, seen)| limit.map(|limit| Figure { rule, limit, seen, measure }));
    applying.collect()
}

/// The limits of a top-up of this many yen.
pub(crate) fn top_up(cx: &Cx<'_>, customer: &Customer, yen: i64) -> Result<Vec<Figure>, Refused> {
    let policy = in_force(cx, customer).top_up;
    let (day, count, last): (i64, i64, i64) = cx.row(
        "SELECT ifnull(sum(CASE state WHEN 'expired' THEN 0 WHEN 'done' THEN posted_yen ELSE yen END), 0),
             count(*) FILTER (WHERE at > ?), ifnull(max(at), 0) FROM top_up WHERE account = ? AND at > ?",
        params![ms(cx.now.minus(HOUR)), customer.id.as_bytes(), ms(cx.now.minus(DAY))],
        |row| row.try_into(),
    )?;
    let day = day.saturating_add(yen);
    let interval = policy.interval_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
    Ok(figures([
        (rule::TOP_UP_EACH, Measure::Each, policy.each_yen, yen),
        (rule::TOP_UP_INTERVAL, Measure::Interval, interval, cx.ms().saturating_sub(last)),
        (rule::TOP_UP_AN_HOUR, Measure::Count, policy.an_hour.map(i64::from), count.saturating_add(1)),
        (rule::TOP_UP_STARTER_DAY, Measure::Sum, policy.starter_day_yen, day),
        (rule::TOP_UP_DAY, Measure::Sum, policy.day_yen, day),
    ]))
}

/// The limits of a payment of this many yen.
pub(crate) fn pay(cx: &Cx<'_>, customer: &Customer, yen: i64) -> Result<Vec<Figure>, Refused> {
    let policy = in_force(cx, customer).pay;
    let (day, hour, ten_minutes): (i64, i64, i64) = cx.row(
        "SELECT ifnull(sum(yen), 0), ifnull(sum(yen) FILTER (WHERE at > ?), 0), count(*) FILTER (WHERE at > ?)
             FROM settlement WHERE account = ? AND kind = 'payment' AND reversed = 0 AND at > ?",
        params![ms(cx.now.minus(HOUR)), ms(cx.now.minus(10 * MINUTE)), customer.id.as_bytes(), ms(cx.now.minus(DAY))],
        |row| row.try_into(),
    )?;
    let (day, hour) = (day.saturating_add(yen), hour.saturating_add(yen));
    Ok(figures([
        (rule::PAY_EACH, Measure::Each, policy.each_yen, yen),
        (rule::PAY_STARTER_DAY, Measure::Sum, policy.starter_day_yen, day),
        (rule::PAY_IN_10_MIN, Measure::Count, policy.in_10_min.map(i64::from), ten_minutes.saturating_add(1)),
        (rule::PAY_HOUR, Measure::Sum, policy.hour_yen, hour),
        (rule::PAY_DAY, Measure::Sum, policy.day_yen, day),
    ]))
}

/// The most that one code may pay.
pub(crate) fn code_cap(cx: &Cx<'_>, customer: &Customer) -> i64 {
    in_force(cx, customer).code.cap_yen.unwrap_or(saifu_wire::Amount::MAX)
}
