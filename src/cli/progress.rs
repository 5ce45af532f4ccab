//! The bar on a terminal while sources are read; nothing where stderr is no terminal.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::pipeline::{Source, Watch};

/// Shows how far a strip has come.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A bar as long as all sources; without an end if one of them does not tell its length.
    pub(crate) fn over(sources: &[Source]) -> Bar {
        let bytes: Option<u64> = sources.iter().map(Source::bytes).sum();
        let bar = if !std::io::stderr().is_terminal() {
            ProgressBar::hidden()
        } else {
            bytes.map_or_else(ProgressBar::no_length, ProgressBar::new)
        };
        let template = match bytes {
            Some(_) => {
                "{bar:30} {bytes} of {total_bytes}, {msg} records, {bytes_per_sec}, {eta} left"
            }
            None => "{spinner} {bytes}, {msg} records, {bytes_per_sec}",
        };
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.expect("the template is well-formed"));
        Bar(bar)
    }

    /// As [`Bar::over`], of files.
    pub(crate) fn over_files(files: &[PathBuf]) -> Bar {
        Bar::over(&files.iter().cloned().map(Source::File).collect::<Vec<_>>())
    }

    /// Removes the bar from the terminal.
    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// Turns while somebody else works; nothing where stderr is no terminal.
pub(crate) struct Spinner(ProgressBar);

impl Spinner {
    /// Begins to turn beside these words.
    pub(crate) fn start(words: &'static str) -> Spinner {
        let hidden = !std::io::stderr().is_terminal();
        let bar = if hidden { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        bar.set_message(words);
        bar.enable_steady_tick(Duration::from_millis(100));
        Spinner(bar)
    }

    /// Removes it from the terminal.
    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Watch for Bar {
    fn progress(&self, bytes_read: u64, records: u64) {
        if !self.0.is_hidden() {
            self.0.set_position(bytes_read);
            self.0.set_message(records.to_string());
        }
    }
}
