//! One suite for every engine: what the store promises whichever database keeps the rows. What a
//! noun's rows promise by themselves stands with them in `rows/`.

#[path = "../../../tests/harness/database.rs"]
pub(crate) mod database;
mod directory;
pub(crate) mod fresh;
mod instances;
mod model;
mod records;
mod refused;
mod terms;
mod writing;
