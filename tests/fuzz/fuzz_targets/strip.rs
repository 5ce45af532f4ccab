//! Any bytes for the target by whose name this program is called.

#![no_main]

#[path = "../targets.rs"]
#[allow(dead_code, reason = "the test uses the rest")]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::survives(env!("CARGO_BIN_NAME"), bytes));
