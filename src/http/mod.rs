//! The HTTP edge.

pub mod control;
