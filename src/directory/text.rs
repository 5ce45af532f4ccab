//! The check of texts that people hand in: one line, not empty, not too long, nothing hidden.

use super::DirectoryError;

/// `text` without the space round it, if it is one line of at most `chars_max` characters that
/// shows everything it holds. `what` names it in the message, such as `the name`.
pub(crate) fn line(what: &str, text: &str, chars_max: usize) -> Result<String, DirectoryError> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 {
        return Err(DirectoryError::Invalid(format!("{what} is empty")));
    }
    if length > chars_max {
        let message = format!("{what} has {length} characters, and {chars_max} is the most");
        return Err(DirectoryError::Invalid(message));
    }
    if let Some(hidden) = text.chars().find(|&char| is_hidden(char)) {
        let code = u32::from(hidden);
        let message = format!("{what} holds the control character U+{code:04X}; leave it out");
        return Err(DirectoryError::Invalid(message));
    }
    Ok(text.to_owned())
}

/// Control characters, line breaks of any kind, and the marks that turn the direction of what
/// follows: with those a name could repaint the table that it is shown in.
fn is_hidden(char: char) -> bool {
    let turns = matches!(char, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    char.is_control() || matches!(char, '\u{2028}' | '\u{2029}') || turns
}
