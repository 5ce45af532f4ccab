//! Mail addresses as the directory compares them; whether anybody reads them is not known here.

use super::DirectoryError;
use super::text;

/// The longest address that can be written to (RFC 5321).
const MAIL_CHARS_MAX: usize = 254;
/// The longest part before the at sign (RFC 5321).
const LOCAL_CHARS_MAX: usize = 64;

/// The address in the one form in which it is kept: trimmed and in lower case.
///
/// # Errors
/// [`DirectoryError::Invalid`] if it cannot be an address such as `ada@example.org`.
pub(super) fn normalised(mail: &str) -> Result<String, DirectoryError> {
    let mail = text::line("the mail address", mail, MAIL_CHARS_MAX)?.to_lowercase();
    let fits = mail.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && local.chars().count() <= LOCAL_CHARS_MAX
            && !local.contains(|char: char| char.is_whitespace() || "@\"(),:;<>[\\]".contains(char))
            && is_domain(domain)
    });
    if !fits {
        let message = format!("`{mail}` is no mail address; one looks like ada@example.org");
        return Err(DirectoryError::Invalid(message));
    }
    Ok(mail)
}

/// The domain of mail addresses in the one form in which it is kept: trimmed and in lower case.
///
/// # Errors
/// [`DirectoryError::Invalid`] if it cannot be one such as `example.org`.
pub(super) fn domain(domain: &str) -> Result<String, DirectoryError> {
    let domain = text::line("the mail domain", domain, MAIL_CHARS_MAX)?.to_lowercase();
    if !is_domain(&domain) {
        let message = format!("`{domain}` is no mail domain; one looks like example.org");
        return Err(DirectoryError::Invalid(message));
    }
    Ok(domain)
}

fn is_domain(domain: &str) -> bool {
    domain.contains('.') && domain.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let inside = label.chars().all(|char| char.is_alphanumeric() || char == '-');
    !label.is_empty() && inside && !label.starts_with('-') && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_in_lower_case_and_nonsense_is_refused() {
        for (text, expected) in [
            (" Ada@Example.ORG ", Some("ada@example.org")),
            ("o'neill+x@a-b.example", Some("o'neill+x@a-b.example")),
            ("jürgen@müller.example", Some("jürgen@müller.example")),
            ("ada", None),
            ("ada@", None),
            ("@example.org", None),
            ("ada@localhost", None),
            ("ada@example..org", None),
            ("ada@-a.org", None),
            ("a b@example.org", None),
            ("a@b@example.org", None),
            ("ada@example.org\nbcc: x@y.z", None),
            ("<ada@example.org>", None),
            ("", None),
        ] {
            let mail = normalised(text).ok();
            assert_eq!(mail.as_deref(), expected, "{text:?}");
        }
    }
}
