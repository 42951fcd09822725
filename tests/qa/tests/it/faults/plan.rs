//! Which faults meet which messages: every operation of the API with every fault that the issuer can be asked for, alone and
//! in pairs.

use saifu_crypto::{Random as _, SeededRandom};
use saifu_sandbox::faults::Act;
use saifu_wire::Operation;

/// How the till takes a lost answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Till {
    /// It asks again under the same transaction id.
    Insists,
    /// It reverses the transaction and starts another.
    GivesUp,
    /// It asks again under another transaction id. No till may do this: a control.
    Forgets,
}

impl Till {
    fn name(self) -> &'static str {
        match self {
            Self::Insists => "insists",
            Self::GivesUp => "gives-up",
            Self::Forgets => "forgets",
        }
    }
}

/// How long peers wait, in milliseconds of real time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Of a peer that must not mistake a busy machine for a fault.
    pub(crate) patient: u64,
    /// Of a peer that a held request must reach too late.
    pub(crate) impatient: u64,
    /// How long such a request is held.
    pub(crate) late: u64,
}

/// One fault on one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) on: Operation,
    /// One of [`Act::FORMS`].
    pub(crate) form: &'static str,
}

impl Cell {
    /// As the control API takes it.
    pub(crate) fn act(self, pace: Pace) -> String {
        self.form.replace("MS", &pace.late.to_string()).replace(":N", ":503")
    }

    /// Whether nobody is answered before somebody loses patience.
    fn holds(self) -> bool {
        ["delay:MS", "reorder", "hang", "hang-after"].contains(&self.form)
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.on.name(), self.form)
    }
}

/// What one flow meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) cells: Vec<Cell>,
    pub(crate) till: Till,
}

impl Run {
    pub(crate) fn patience(&self, pace: Pace) -> u64 {
        if self.cells.iter().any(|cell| cell.holds()) { pace.impatient } else { pace.patient }
    }

    pub(crate) fn asks(&self, operation: Operation) -> bool {
        self.cells.iter().any(|cell| cell.on == operation)
    }

    /// What it is known by in the table of pairs: its faults, in the order of [`Act::FORMS`].
    pub(crate) fn faults(&self) -> String {
        let place = |form: &&str| Act::FORMS.iter().position(|known| known == form);
        let mut forms: Vec<&str> = self.cells.iter().map(|cell| cell.form).collect();
        forms.sort_by_key(place);
        forms.join(" + ")
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for cell in &self.cells {
            write!(f, "{cell} ")?;
        }
        f.write_str(self.till.name())
    }
}

impl std::str::FromStr for Run {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let till = words.pop().unwrap_or_default();
        let till = [Till::Insists, Till::GivesUp].into_iter().find(|known| known.name() == till);
        let cell = |word: &&str| {
            let (on, form) = word.split_once('/')?;
            let on = Operation::ALL.iter().find(|known| known.name() == on)?;
            let form = Act::FORMS.iter().find(|known| **known == form)?;
            Some(Cell { on: *on, form })
        };
        let cells: Option<Vec<Cell>> = words.iter().map(cell).collect();
        match (cells, till) {
            (Some(cells), Some(till)) if !cells.is_empty() => Ok(Self { cells, till }),
            _ => Err(format!("`{text}` is not like `top-up/drop-answer settle/hang insists`")),
        }
    }
}

/// Every message with this fault.
pub(crate) fn every_operation(form: &'static str) -> Vec<Run> {
    assert!(Act::FORMS.contains(&form), "{form}");
    let tilled = Operation::ALL.iter().map(|on| vec![Cell { on: *on, form }]);
    tilled.flat_map(with_tills).collect()
}

/// Every fault on every message beside every other. Two faults strike one message in both orders; on different messages each
/// waits for its own, so that their order says nothing.
pub(crate) fn every_pair() -> Vec<Run> {
    let cells: Vec<Cell> =
        Operation::ALL.iter().flat_map(|on| Act::FORMS.iter().map(|form| Cell { on: *on, form })).collect();
    let mut pairs = Vec::new();
    for (index, one) in cells.iter().enumerate() {
        for two in &cells[index..] {
            pairs.push(vec![*one, *two]);
            if one.on == two.on && one != two {
                pairs.push(vec![*two, *one]);
            }
        }
    }
    pairs.into_iter().flat_map(with_tills).collect()
}

/// The same in an order that the seed decides.
pub(crate) fn shuffled(runs: Vec<Run>, seed: u64) -> Vec<Run> {
    let random = SeededRandom::new(seed);
    let mut drawn: Vec<([u8; 8], Run)> = runs
        .into_iter()
        .map(|run| {
            let mut number = [0; 8];
            random.fill(&mut number).unwrap();
            (number, run)
        })
        .collect();
    drawn.sort_by_key(|(number, _)| *number);
    drawn.into_iter().map(|(_, run)| run).collect()
}

/// Where a settlement goes wrong, tills of both kinds go on from there.
fn with_tills(cells: Vec<Cell>) -> Vec<Run> {
    let settles = cells.iter().any(|cell| cell.on == Operation::Settle);
    let tills: &[Till] = if settles { &[Till::Insists, Till::GivesUp] } else { &[Till::Insists] };
    tills.iter().map(|till| Run { cells: cells.clone(), till: *till }).collect()
}
