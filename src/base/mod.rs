//! The ground that every other room stands on: IDs as types, who takes part, and the clock.
//! Nothing here knows of files, SQL, HTTP or the policy.

pub mod clock;
pub mod delivery;
pub mod ids;
pub mod party;
