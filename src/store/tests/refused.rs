//! What the schema itself refuses, should the program ever forget it.

use super::fresh::{Fresh, on_every_engine};
use crate::store::StoreError;

/// Rows that the statements below are about.
const ROWS: &str = "
    INSERT INTO journal (sequence, at_ms, leaf) VALUES (1, 5, '{}');
    INSERT INTO ledger_clocks (instance, time_ms, anchor_time_ms, anchor_wall_ms, anchor_boot_ms,
        boot_id, wall) VALUES ('one', 100, 100, 100, 0, 'boot', 'believed');
    INSERT INTO entities (id, slug, name, sector, status, created_ms)
        VALUES (1, 'acme', 'Acme', 'commercial', 'active', 1);
    INSERT INTO people (id, mail, name, status, created_ms)
        VALUES (1, 'ada@example.org', 'Ada', 'active', 1);
    INSERT INTO memberships (person_id, entity_id, role, from_ms) VALUES (1, 1, 'member', 1);
    INSERT INTO datasets (id, slug, title, ids, scope, mode, visibility, created_ms)
        VALUES (1, 'walks', 'Walks', 'tweet', 'own', 'index', 'public', 1)";

fn change(fresh: &Fresh, statement: &'static str) -> Result<(), StoreError> {
    fresh.open().write_blocking(move |tx| tx.connection.script(statement))
}

#[test]
fn the_schema_refuses_what_must_never_be() {
    on_every_engine(|fresh| {
        change(fresh, ROWS).unwrap();
        for (statement, told) in [
            ("UPDATE journal SET leaf = '{\"a\":1}'", "the journal is only ever added to"),
            ("DELETE FROM journal", "the journal is only ever added to"),
            ("UPDATE ledger_clocks SET time_ms = 99", "ledger time never goes back"),
            ("INSERT INTO journal (sequence, at_ms, leaf) VALUES (1, 6, '{}')", ""),
            (
                "INSERT INTO entities (slug, name, sector, status, created_ms)
                 VALUES ('acme', 'B', 'commercial', 'active', 1)",
                "",
            ),
            (
                "INSERT INTO entities (slug, name, sector, status, created_ms)
                 VALUES ('b', 'B', 'military', 'active', 1)",
                "",
            ),
            (
                "INSERT INTO people (mail, name, status, created_ms)
                 VALUES ('ada@example.org', 'B', 'active', 1)",
                "",
            ),
            (
                "INSERT INTO memberships (person_id, entity_id, role, from_ms)
                 VALUES (1, 1, 'member', 2)",
                "",
            ),
            (
                "INSERT INTO memberships (person_id, entity_id, role, from_ms)
                 VALUES (1, 77, 'member', 2)",
                "",
            ),
            ("UPDATE datasets SET visibility = 'friends'", ""),
            ("UPDATE datasets SET current_release = 'none'", ""),
            ("INSERT INTO releases (dataset_id, id, created_ms) VALUES (1, 'short', 1)", ""),
            ("INSERT INTO buckets (meter_id, minute, person_id, ids) VALUES (1, 1, 1, 0)", ""),
            ("INSERT INTO holds (delivery_id, meter_id, ids, expires_ms) SELECT NULL, 1, 1, 1", ""),
            ("INSERT INTO turn (id) VALUES (2)", ""),
        ] {
            // Only a server's store has a row that gateways take turns by.
            if statement.contains("turn") && matches!(fresh, Fresh::File(_)) {
                continue;
            }
            match change(fresh, statement) {
                Err(StoreError::Database(text)) => assert!(text.contains(told), "{text}"),
                other => panic!("{statement}: {other:?}"),
            }
        }
    });
}

#[test]
fn a_leaf_has_at_most_65535_bytes() {
    on_every_engine(|fresh| {
        let store = fresh.open();
        // In letters of two bytes, of which a column must not count the letters.
        for (letters, fits) in [(32_767, true), (32_768, false)] {
            let leaf = "é".repeat(letters);
            let added = store.write_blocking(move |tx| tx.journal_append(1, &leaf, None));
            assert_eq!(added.is_ok(), fits, "{letters}: {added:?}");
        }
    });
}

#[test]
fn a_server_refuses_to_empty_the_journal() {
    on_every_engine(|fresh| {
        if let Fresh::Server(_) = fresh {
            let refused = change(fresh, "TRUNCATE journal");
            assert!(matches!(refused, Err(StoreError::Database(_))), "{refused:?}");
        }
    });
}
