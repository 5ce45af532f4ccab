//! The rows of spending, hydrations and compliance jobs read back as they were entered, on every
//! engine.

use super::fresh::on_every_engine;
use crate::store::{ComplianceJobRow, CredentialRow, HydrationRow, SpendingRow, StoreError, Tx};

fn check(test: impl Fn(&Tx<'_>) -> Result<(), StoreError> + Send + Copy + 'static) {
    on_every_engine(|fresh| fresh.open().write_blocking(move |tx| test(tx)).unwrap());
}

#[test]
fn what_was_spent_adds_up_from_a_day_on() {
    check(|tx| {
        for (credential, day_ms, tweets) in [("a", 1, 100), ("a", 2, 7), ("a", 2, 3), ("b", 2, 50)]
        {
            let more = SpendingRow { requests: 1, tweets, users: tweets / 2 };
            tx.upstream_spend(credential, day_ms, &more)?;
        }
        let all = SpendingRow { requests: 3, tweets: 110, users: 54 };
        assert_eq!(tx.upstream_spent("a", 0)?, all);
        let later = SpendingRow { requests: 2, tweets: 10, users: 4 };
        assert_eq!(tx.upstream_spent("a", 2)?, later);
        assert_eq!(tx.upstream_spent("a", 3)?, SpendingRow::default());
        assert_eq!(tx.upstream_spent("c", 0)?, SpendingRow::default());
        Ok(())
    });
}

#[test]
fn of_a_credential_the_last_word_counts() {
    check(|tx| {
        assert_eq!(tx.upstream_credential("a")?, None);
        let mut row = CredentialRow { credential: "a".into(), ..CredentialRow::default() };
        tx.upstream_credential_put(&row)?;
        assert_eq!(tx.upstream_credential("a")?, Some(row.clone()));
        row.tweets_requests = Some(300);
        row.users_requests = Some(900);
        row.stop = Some("usage-cap".into());
        row.stop_ms = Some(5);
        row.stop_until_ms = Some(6);
        tx.upstream_credential_put(&row)?;
        assert_eq!(tx.upstream_credential("a")?, Some(row));
        Ok(())
    });
}

#[test]
fn a_hydration_reads_back_with_what_became_of_its_ids() {
    check(|tx| {
        let mut row = HydrationRow {
            id: "0198-a".into(),
            kind: "tweet".into(),
            credential: "a".into(),
            archive: "/archive/ünïcode.jsonl.zst".into(),
            ids: 1 << 40,
            state: "running".into(),
            why: None,
            outcomes: [0; 6],
            started_ms: 3,
            started_by: "local:ada".into(),
            changed_ms: 3,
        };
        tx.hydration_insert(&row)?;
        let other = HydrationRow { id: "0198-b".into(), started_ms: 2, ..row.clone() };
        tx.hydration_insert(&other)?;
        row.state = "paused".into();
        row.why = Some("the budget is spent".into());
        row.outcomes = [1, 2, 3, 4, 5, 6];
        row.changed_ms = 9;
        tx.hydration_update(&row)?;
        assert_eq!(tx.hydration_by_id("0198-a")?, Some(row.clone()));
        assert_eq!(tx.hydration_by_id("0198-c")?, None);
        assert_eq!(tx.hydrations(1)?, [row.clone()]);
        assert_eq!(tx.hydrations(9)?, [row, other]);
        Ok(())
    });
}

#[test]
fn a_compliance_job_reads_back_with_its_result() {
    check(|tx| {
        let mut row = ComplianceJobRow {
            id: "1372966999991541762".into(),
            kind: "user".into(),
            credential: "a".into(),
            name: "spring".into(),
            ids: 7,
            state: "created".into(),
            created_ms: 3,
            created_by: "local:ada".into(),
            changed_ms: 3,
            result: None,
            result_sha256: None,
        };
        tx.compliance_job_put(&row)?;
        assert_eq!(tx.compliance_jobs()?, [row.clone()]);
        row.state = "complete".into();
        row.changed_ms = 4;
        row.result = Some("/results/spring.jsonl".into());
        row.result_sha256 = Some([7; 32]);
        tx.compliance_job_put(&row)?;
        assert_eq!(tx.compliance_job_by_id(&row.id)?, Some(row));
        assert_eq!(tx.compliance_job_by_id("1")?, None);
        Ok(())
    });
}
