-- Exports: full objects that a person asks for in the browser, in files that are small enough for
-- a day. Times are milliseconds UTC.

-- What was asked for.
CREATE TABLE exports (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id  INTEGER NOT NULL REFERENCES people (id),
    dataset_id INTEGER NOT NULL,
    release_id TEXT    NOT NULL,
    unit       TEXT    NOT NULL,               -- 'tweet' | 'user'
    selection  TEXT    NOT NULL,               -- JSON: what of it
    format     TEXT    NOT NULL,               -- 'csv' | 'xlsx' | 'pdf'
    ids        INTEGER NOT NULL,               -- how many those may be
    asked_ms   INTEGER NOT NULL
) STRICT;

CREATE INDEX exports_of_person ON exports (person_id, id);

-- The files of an export, each a part of what it selects.
CREATE TABLE export_files (
    id             INTEGER PRIMARY KEY AUTOINCREMENT, -- the file's number in the ledger
    export_id      INTEGER NOT NULL REFERENCES exports (id),
    person_id      INTEGER NOT NULL REFERENCES people (id), -- whose export it is
    part           INTEGER NOT NULL,           -- its place among the files of its export, from 1
    objects_max    INTEGER NOT NULL,           -- how many objects it may have
    from_ordinal   INTEGER,                    -- at which ordinal it begins; NULL: it is not known
                                           -- before the file before it is made
    next_ordinal   INTEGER,                    -- at which the one behind it begins, once it is made;
                                           -- NULL: it is the last
    planned_ms     INTEGER NOT NULL,           -- when it fits the person's allowance
    state          TEXT    NOT NULL CHECK (state IN ('planned', 'asked', 'running', 'ready',
                       'fetched', 'cancelled', 'failed', 'purged', 'expired')),
    reason         TEXT,                       -- why it ended as it did
    attempt        INTEGER NOT NULL,           -- how often its making was begun
    instance       TEXT,                       -- which gateway makes it, or made it …
    lease_ms       INTEGER,                    -- … and up to when nobody else does
    gathered       INTEGER NOT NULL,           -- how much of it has been looked up
    objects        INTEGER NOT NULL,           -- how many objects it has, once it is made
    bytes          INTEGER NOT NULL,           -- how long it is, once it is made
    sha256         BLOB CHECK (length(sha256) = 32),
    extension      TEXT,                       -- how its name ends, once it is made
    left_out       TEXT    NOT NULL,           -- JSON: what was left out, and why
    removals       INTEGER NOT NULL,           -- without what these removals name, as was seen
    fetches        INTEGER NOT NULL,           -- how often it was begun to be handed over
    changed_ms     INTEGER NOT NULL,
    kept_until_ms  INTEGER                     -- up to when it is kept, once it is made
) STRICT;

CREATE INDEX export_files_of_export ON export_files (export_id, id);
CREATE INDEX export_files_of_person ON export_files (person_id, id);
CREATE INDEX export_files_kept ON export_files (id) WHERE state IN ('ready', 'fetched');
-- One at a time for each person.
CREATE UNIQUE INDEX export_files_under_way ON export_files (person_id)
    WHERE state IN ('asked', 'running');
