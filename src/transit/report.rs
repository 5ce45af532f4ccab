//! What was read of a source and what fell out, for whoever asked and for the delivery's row.

use serde_json::{Value, json};

use crate::pipeline::{Gravity, Tally};

/// What was read of a source and what fell out.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How many records were read.
    pub records: u64,
    /// How many damages there were: records that are broken, or values in them.
    pub damaged: u64,
    /// All of it, as the report of `hydrant strip` has it.
    pub whole: Value,
}

impl From<&Tally> for Report {
    fn from(tally: &Tally) -> Report {
        let damaged = tally.reasons.iter().filter(|row| row.reason.gravity() == Gravity::Damaged);
        Report {
            records: tally.records,
            damaged: damaged.map(|row| row.count).sum(),
            whole: json!(tally),
        }
    }
}
