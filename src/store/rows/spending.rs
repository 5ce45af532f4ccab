//! The rows of what was asked of the platform: how much, day by day, and what it said last about a
//! credential; what may be asked is decided by `hydrate`.

use crate::store::value::{Row, values};
use crate::store::{StoreError, Tx};

/// What was spent with a credential in some days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpendingRow {
    /// Requests that were sent, or were about to be.
    pub requests: u64,
    /// Tweets that were asked for.
    pub tweets: u64,
    /// Users that were asked for.
    pub users: u64,
}

/// What the platform said last about a credential.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialRow {
    /// Its name in the settings.
    pub credential: String,
    /// Requests for Tweets in each window, by the platform's headers.
    pub tweets_requests: Option<u64>,
    /// Requests for Users in each window, by the platform's headers.
    pub users_requests: Option<u64>,
    /// What stopped it last, in a word.
    pub stop: Option<String>,
    /// When it was stopped, in milliseconds UTC.
    pub stop_ms: Option<i64>,
    /// Up to when, this instant not included; `None`: it may be tried at any time.
    pub stop_until_ms: Option<i64>,
}

const SPEND: &str = "
    INSERT INTO upstream_days (credential, day_ms, requests, tweets, users)
    VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (credential, day_ms) DO UPDATE SET
        requests = upstream_days.requests + ?3, tweets = upstream_days.tweets + ?4,
        users = upstream_days.users + ?5";
const SELECT_SPENT: &str = "
    SELECT CAST(coalesce(sum(requests), 0) AS BIGINT), CAST(coalesce(sum(tweets), 0) AS BIGINT),
           CAST(coalesce(sum(users), 0) AS BIGINT)
    FROM upstream_days WHERE credential = ?1 AND day_ms >= ?2";
const SELECT_CREDENTIAL: &str = "
    SELECT credential, tweets_requests, users_requests, stop, stop_ms, stop_until_ms
    FROM upstream_credentials WHERE credential = ?1";
const PUT_CREDENTIAL: &str = "
    INSERT INTO upstream_credentials
        (credential, tweets_requests, users_requests, stop, stop_ms, stop_until_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (credential) DO UPDATE SET
        tweets_requests = ?2, users_requests = ?3, stop = ?4, stop_ms = ?5, stop_until_ms = ?6";

impl Tx<'_> {
    /// Adds to what was spent with a credential on the day that begins at `day_ms`.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn upstream_spend(
        &self,
        credential: &str,
        day_ms: i64,
        more: &SpendingRow,
    ) -> Result<(), StoreError> {
        let values = values![credential, day_ms, more.requests, more.tweets, more.users];
        self.change(SPEND, values).map(drop)
    }

    /// What was spent with a credential from that day on, days to come included: a clock that was
    /// set back gives nothing back.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn upstream_spent(
        &self,
        credential: &str,
        from_day_ms: i64,
    ) -> Result<SpendingRow, StoreError> {
        let spent = self.row(SELECT_SPENT, values![credential, from_day_ms], |row| {
            Ok(SpendingRow { requests: row.get(0)?, tweets: row.get(1)?, users: row.get(2)? })
        })?;
        Ok(spent.unwrap_or_default())
    }

    /// What the platform said last about a credential.
    ///
    /// # Errors
    /// [`StoreError`] of the look.
    pub fn upstream_credential(
        &self,
        credential: &str,
    ) -> Result<Option<CredentialRow>, StoreError> {
        self.row(SELECT_CREDENTIAL, values![credential], credential_row)
    }

    /// Notes what the platform said last about a credential.
    ///
    /// # Errors
    /// [`StoreError`] of the change.
    pub fn upstream_credential_put(&self, row: &CredentialRow) -> Result<(), StoreError> {
        let values = values![
            &row.credential,
            row.tweets_requests,
            row.users_requests,
            &row.stop,
            row.stop_ms,
            row.stop_until_ms
        ];
        self.change(PUT_CREDENTIAL, values).map(drop)
    }
}

fn credential_row(row: &Row<'_>) -> Result<CredentialRow, StoreError> {
    Ok(CredentialRow {
        credential: row.get(0)?,
        tweets_requests: row.get(1)?,
        users_requests: row.get(2)?,
        stop: row.get(3)?,
        stop_ms: row.get(4)?,
        stop_until_ms: row.get(5)?,
    })
}
