//! What the program tells about itself while it runs: the log on stderr.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

/// Logs lines for people from now on. `level` is as `tracing-subscriber` reads it; the variable
/// `RUST_LOG` wins over it.
pub fn start_text(level: &str) {
    let coloured =
        stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    tracing_subscriber::fmt()
        .with_writer(stderr)
        .with_ansi(coloured)
        .with_env_filter(filter(level))
        .init();
}

/// Logs one JSON object a line from now on; `level` as in [`start_text`].
pub fn start_json(level: &str) {
    tracing_subscriber::fmt()
        .with_writer(stderr)
        .json()
        .flatten_event(true)
        .with_env_filter(filter(level))
        .init();
}

fn filter(level: &str) -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level))
}
