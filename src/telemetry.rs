//! What the program tells about itself while it runs: the log on stderr.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Logs lines for people from now on. `level` is as `tracing-subscriber` reads it; the variable
/// `RUST_LOG` wins over it.
pub fn start_text(level: &str) {
    let coloured =
        stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = fmt::layer().with_writer(stderr).with_ansi(coloured);
    tracing_subscriber::registry().with(lines.with_filter(filter(level))).init();
}

/// Logs one JSON object a line from now on; `level` as in [`start_text`].
pub fn start_json(level: &str) {
    let objects = fmt::layer().with_writer(stderr).json().flatten_event(true);
    tracing_subscriber::registry().with(objects.with_filter(filter(level))).init();
}

fn filter(level: &str) -> Targets {
    let wanted = std::env::var("RUST_LOG").ok().and_then(|wanted| wanted.parse().ok());
    let wanted = wanted.or_else(|| level.parse().ok());
    wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO))
}
