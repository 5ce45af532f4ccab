//! The ground that every other room stands on: IDs as types, who takes part, clock and dates.
//! Nothing here knows of files, SQL, HTTP or the policy.

#[cfg(test)]
pub(crate) mod cases;
pub mod causes;
pub mod clock;
pub mod commitment;
pub mod date;
pub mod delivery;
pub mod gaps;
pub mod ids;
pub mod month;
pub mod nearest;
pub mod number;
pub mod origin;
pub mod party;
pub mod steady;
