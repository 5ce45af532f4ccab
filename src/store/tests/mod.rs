//! One suite for every engine: what the store promises whichever database keeps the rows. What a
//! noun's rows promise by themselves stands with them in `rows/`.

#[path = "../../../tests/harness/database.rs"]
pub(crate) mod database;
mod directory;
mod exports;
mod flawed;
pub(crate) mod fresh;
mod identities;
mod instances;
mod model;
mod parties;
#[path = "../../../tests/harness/proxy.rs"]
mod proxy;
mod records;
mod refused;
mod removals;
mod several;
mod terms;
mod upstream;
mod writing;
mod shares;
mod sign_in;
