//! The tables of a store as both databases know them, found by asking the file: a table that is
//! added to the schema moves along by itself. How rows are compared is in `totals`.

use crate::store::StoreError;
use crate::store::tx::{Connection, Tx};
use crate::store::value::{Row, values};

/// Tables that belong to one database and not to what it keeps.
const LEFT_BEHIND: [&str; 4] = ["migrations", "marks", "moved", "turn"];

const SELECT_TABLES: &str = "
    SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
    ORDER BY name";
const SELECT_COLUMNS: &str = "SELECT name, type, pk FROM pragma_table_info(?1) ORDER BY cid";
const SELECT_SEQUENCES: &str = "SELECT name, seq FROM sqlite_sequence ORDER BY name";

const SELECT_FOREIGN_KEYS: &str = "
    SELECT CAST(CAST(c.conrelid AS regclass) AS TEXT), CAST(c.conname AS TEXT)
    FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
    WHERE c.contype = 'f' AND n.nspname = current_schema() ORDER BY 1, 2";
const SELECT_TRIGGERED: &str = "
    SELECT DISTINCT CAST(t.tgrelid::regclass AS TEXT)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
         JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND n.nspname = current_schema() ORDER BY 1";
/// For the transaction of the move alone: it takes as long as it takes.
const NO_HURRY: &str = "
    SET LOCAL statement_timeout = 0;
    SET LOCAL idle_in_transaction_session_timeout = 0";

/// One table.
pub(super) struct Table {
    pub(super) name: String,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    is_text: bool,
    /// The column's place in the primary key, from 1 on; 0: it is no part of it.
    key_place: u32,
}

/// All tables whose rows move.
pub(super) fn all(source: &dyn Connection) -> Result<Vec<Table>, StoreError> {
    let tx = Tx { connection: source };
    let names = tx.rows(SELECT_TABLES, values![], |row| row.get::<String>(0))?;
    let moving = names.into_iter().filter(|name| !LEFT_BEHIND.contains(&name.as_str()));
    moving
        .map(|name| {
            let columns = tx.rows(SELECT_COLUMNS, values![&name], column)?;
            Ok(Table { name, columns })
        })
        .collect()
}

fn column(row: &Row<'_>) -> Result<Column, StoreError> {
    let kind: String = row.get(1)?;
    Ok(Column { name: row.get(0)?, is_text: kind == "TEXT", key_place: row.get(2)? })
}

impl Table {
    pub(super) fn columns(&self) -> usize {
        self.columns.len()
    }

    fn names(&self) -> String {
        self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// All rows in the order of the primary key, from a database file.
    pub(super) fn select(&self) -> String {
        self.select_in("")
    }

    /// The same rows in the same order from a server, whose texts may have an order of their own.
    pub(super) fn select_from_server(&self) -> String {
        self.select_in(" COLLATE \"C\"")
    }

    fn select_in(&self, text_order: &str) -> String {
        let mut key: Vec<&Column> =
            self.columns.iter().filter(|column| column.key_place > 0).collect();
        assert!(!key.is_empty(), "the table {} has a primary key", self.name);
        key.sort_by_key(|column| column.key_place);
        let order = key.iter().map(|column| {
            format!("{}{}", column.name, if column.is_text { text_order } else { "" })
        });
        let order = order.collect::<Vec<_>>().join(", ");
        format!("SELECT {} FROM {} ORDER BY {order}", self.names(), self.name)
    }

    pub(super) fn insert(&self) -> String {
        let places = (1..=self.columns.len()).map(|place| format!("?{place}"));
        let places = places.collect::<Vec<_>>().join(", ");
        format!("INSERT INTO {} ({}) VALUES ({places})", self.name, self.names())
    }
}

/// Lets rows come in any order and as they are, until [`guard_again`].
pub(super) fn let_all_be_written(server: &dyn Connection) -> Result<(), StoreError> {
    server.script(NO_HURRY)?;
    for (table, constraint) in foreign_keys(server)? {
        server.script(&format!("ALTER TABLE {table} ALTER CONSTRAINT {constraint} DEFERRABLE"))?;
    }
    server.script("SET CONSTRAINTS ALL DEFERRED")?;
    set_triggers(server, "DISABLE")
}

/// Tests what was not tested on the way, and guards the tables as before. Row numbers go on where
/// those of `source` would have gone on.
pub(super) fn guard_again(
    server: &dyn Connection,
    source: &dyn Connection,
) -> Result<(), StoreError> {
    server.script("SET CONSTRAINTS ALL IMMEDIATE")?;
    for (table, constraint) in foreign_keys(server)? {
        server
            .script(&format!("ALTER TABLE {table} ALTER CONSTRAINT {constraint} NOT DEFERRABLE"))?;
    }
    let tx = Tx { connection: source };
    let sequences = tx.rows(SELECT_SEQUENCES, values![], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (table, last) in sequences {
        let (table, last): (String, i64) = (table, last);
        server.script(&format!("ALTER TABLE {table} ALTER COLUMN id RESTART WITH {}", last + 1))?;
    }
    set_triggers(server, "ENABLE")
}

fn foreign_keys(server: &dyn Connection) -> Result<Vec<(String, String)>, StoreError> {
    let tx = Tx { connection: server };
    tx.rows(SELECT_FOREIGN_KEYS, values![], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn set_triggers(server: &dyn Connection, what: &str) -> Result<(), StoreError> {
    let tx = Tx { connection: server };
    for table in tx.rows(SELECT_TRIGGERED, values![], |row| row.get::<String>(0))? {
        server.script(&format!("ALTER TABLE {table} {what} TRIGGER USER"))?;
    }
    Ok(())
}
