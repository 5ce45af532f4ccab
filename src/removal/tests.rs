//! Tests of removals as a whole.
