//! The name of an audit log, which its checkpoints begin with; what they sign is not here.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest name.
const CHARS_MAX: usize = 200;

/// The name of an audit log: like an address without its scheme, `data.example.org/log`. It stands
/// for no address that has to exist, and it never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogOrigin(Arc<str>);

/// Why a text names no log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a log's name is a host and a path, like data.example.org/log, without blanks or a plus")]
pub struct NotAnOrigin;

impl LogOrigin {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LogOrigin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<LogOrigin, NotAnOrigin> {
        // A signed note's lines divide at blanks, and a key's text form at each plus.
        let fits = |letter: char| !letter.is_whitespace() && !letter.is_control() && letter != '+';
        let length = text.chars().count();
        let is_origin = (1..=CHARS_MAX).contains(&length) && text.chars().all(fits);
        if is_origin { Ok(LogOrigin(text.into())) } else { Err(NotAnOrigin) }
    }
}

impl fmt::Display for LogOrigin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_log_is_a_host_and_a_path() {
        let long = "a".repeat(CHARS_MAX + 1);
        for (text, expected) in [
            ("data.example.org/log", true),
            ("127.0.0.1:8080/log", true),
            ("", false),
            ("a b", false),
            ("a\u{a0}b", false),
            ("a+b", false),
            ("a\nb", false),
            ("a\u{7}b", false),
            (&long, false),
        ] {
            assert_eq!(text.parse::<LogOrigin>().is_ok(), expected, "{text:?}");
        }
    }
}
