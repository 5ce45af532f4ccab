//! Tests of removals as a whole: lists in any order, imports and reversals, views of releases,
//! against a naive account of everything that was ever said.

mod lists;
mod naive;
