//! What a server must be so that a confirmed commit is durable; how it is asked is `session`'s.

use super::session::Session;
use crate::store::StoreError;
use crate::store::value::values;

/// The oldest server that is looked after: 13.
const SERVER_VERSION_MIN: i64 = 130_000;

const VERSION: &str = "SELECT CAST(current_setting('server_version_num') AS BIGINT)";
const IS_REPLICA: &str = "SELECT pg_is_in_recovery()";
const SETTING: &str = "SELECT current_setting(?1)";

/// The name of a setting, what it may be, and what to do if it is not.
const CHECKS: &[(&str, &[&str], &str)] = &[
    (
        "synchronous_commit",
        &["on", "remote_write", "remote_apply"],
        "a confirmed commit could be lost: take it out of the URL's options, or `ALTER ROLE … \
         RESET synchronous_commit`",
    ),
    ("fsync", &["on"], "a confirmed commit could be lost: set fsync = on in postgresql.conf"),
    (
        "full_page_writes",
        &["on"],
        "a page could be torn at power loss: set full_page_writes = on in postgresql.conf",
    ),
    (
        "default_transaction_read_only",
        &["off"],
        "nothing can be charged there: take it out of the URL's options, or reset it",
    ),
    ("server_encoding", &["UTF8"], "create the database with ENCODING 'UTF8'"),
];

/// Makes sure that the session's commits are durable and that its server is the primary.
///
/// # Errors
/// [`StoreError::Unfit`] with what to do.
pub(super) fn check(session: &mut Session) -> Result<(), StoreError> {
    let unfit = |text: String| Err(StoreError::Unfit(text.into()));
    check_version(session.row(VERSION, &[])?.get(0))?;
    if session.row(IS_REPLICA, &[])?.get(0) {
        return unfit("it is a replica, which cannot keep a charge; name the primary".into());
    }
    for (name, allowed, advice) in CHECKS {
        let found: String = session.row(SETTING, values![*name])?.get(0);
        if !allowed.contains(&found.as_str()) {
            return unfit(format!("its {name} is {found}; {advice}"));
        }
    }
    Ok(())
}

/// `version` is the server's `server_version_num`: 130_004 for 13.4.
fn check_version(version: i64) -> Result<(), StoreError> {
    if version < SERVER_VERSION_MIN {
        let (found, least) = (version / 10_000, SERVER_VERSION_MIN / 10_000);
        let text = format!("PostgreSQL {found} is older than {least}: use a newer server");
        return Err(StoreError::Unfit(text.into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_too_old_is_refused_and_told_which_would_do() {
        for version in [90_624, 120_000, 129_999] {
            let refused = check_version(version).unwrap_err().to_string();
            assert!(refused.contains("is older than 13: use a newer server"), "{refused}");
        }
        for version in [130_000, 150_008, 180_001] {
            check_version(version).unwrap();
        }
    }
}
