-- What must no longer be distributed, and which lines of which release that is. An ID or a user is
-- removed as long as the newest event of at least one aspect says so; only the events of imports
-- that are in force count, so an import comes into force, and is reverted, by one column of its row.
-- Times are milliseconds UTC.

CREATE TABLE removal_state (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    version      INTEGER NOT NULL,         -- grows whenever an import comes into force or is reverted
    told_version INTEGER NOT NULL          -- who holds what went up to that version has been told
) STRICT;

INSERT INTO removal_state (id, version, told_version) VALUES (1, 0, 0);

-- Lists that were imported. Their IDs stand in no audit log: it names the digest of a list.
CREATE TABLE removal_imports (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    state           TEXT    NOT NULL CHECK (state IN ('preparing', 'in-force', 'reverted')),
    sha256          BLOB    NOT NULL,      -- of all that it says
    name            TEXT    NOT NULL,      -- the names of its files
    reason          TEXT    NOT NULL,
    report          TEXT    NOT NULL,      -- JSON: what was read and what came of it
    events          INTEGER NOT NULL,      -- its rows in removal_events, once all are there
    created_ms      INTEGER NOT NULL,
    version         INTEGER,               -- with which it came into force
    reverted_ms     INTEGER,
    reverted_reason TEXT
) STRICT;

CREATE TABLE removal_events (
    kind      INTEGER NOT NULL CHECK (kind IN (0, 1)),    -- 0: a Tweet, 1: a user
    element   INTEGER NOT NULL,                           -- its ID
    aspect    INTEGER NOT NULL,                           -- what about it, as the program numbers it
    import_id INTEGER NOT NULL,
    removes   INTEGER NOT NULL CHECK (removes IN (0, 1)), -- 0: it may be distributed again
    at_ms     INTEGER NOT NULL,                           -- when that happened
    PRIMARY KEY (kind, element, aspect, import_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX removal_events_of_import ON removal_events (import_id, kind, element);

-- What is left out of a release. Without a row nothing is, and nothing ever was.
CREATE TABLE release_views (
    release_id  TEXT    NOT NULL,
    unit        TEXT    NOT NULL,          -- 'tweet' | 'user'
    version     INTEGER NOT NULL,          -- with which it came into force
    removed_ids INTEGER NOT NULL,
    gaps        BLOB    NOT NULL,          -- runs of lines, see schema/release.md
    PRIMARY KEY (release_id, unit)
) STRICT, WITHOUT ROWID;

-- How views changed: by all rows up to a version it is known what was left out then.
CREATE TABLE removal_changes (
    version      INTEGER NOT NULL,
    release_id   TEXT    NOT NULL,
    unit         TEXT    NOT NULL,
    at_ms        INTEGER NOT NULL,
    removed_ids  INTEGER NOT NULL,
    restored_ids INTEGER NOT NULL,
    removed      BLOB    NOT NULL,         -- ranges of ordinals
    restored     BLOB    NOT NULL,
    -- What was left out before, as in release_views, so that a download of then finds its way on;
    -- NULL: too long ago.
    before       BLOB,
    PRIMARY KEY (version, release_id, unit)
) STRICT, WITHOUT ROWID;

CREATE INDEX removal_changes_of_release ON removal_changes (release_id, unit, version);

-- Which version of the view a delivery was of.
ALTER TABLE deliveries ADD COLUMN view_version INTEGER NOT NULL DEFAULT 0;
