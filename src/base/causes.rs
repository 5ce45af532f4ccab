//! An error as one text, with what caused it; not what becomes of it.

use std::error::Error;

/// An error and its causes, outermost first, each in a clause. For errors that keep their cause to
/// [`Error::source`] and do not repeat it in their own text.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
