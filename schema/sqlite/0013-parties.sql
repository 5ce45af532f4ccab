-- What entities and people are beyond their names. Times are milliseconds UTC.
-- An entity's status is also 'pending': it waits for an operator's review; or 'merged'. A person's
-- is also 'erased': their mail is then 'erased:' and a keyed hash of the address, by which the
-- same address finds its meters again, or 'erased:' and their number, once nothing is left there.

-- The version of the use case that is in force; NULL: none was approved yet.
ALTER TABLE entities ADD COLUMN use_case INTEGER;
-- Into which entity it was merged; NULL: it was not.
ALTER TABLE entities ADD COLUMN merged_into INTEGER REFERENCES entities (id);
-- When an operator reviewed it; NULL: nobody did.
ALTER TABLE entities ADD COLUMN reviewed_ms INTEGER;
-- When they were erased; NULL: they were not.
ALTER TABLE people ADD COLUMN erased_ms INTEGER;

-- What else an entity is known by.
CREATE TABLE entity_marks (
    entity_id INTEGER NOT NULL REFERENCES entities (id),
    kind      TEXT    NOT NULL CHECK (kind IN ('alias', 'domain')),
    mark      TEXT    NOT NULL,                -- a name, or a mail domain in lower case
    PRIMARY KEY (entity_id, kind, mark)
) STRICT, WITHOUT ROWID;

-- What an entity declares that it uses what it receives for, version by version.
CREATE TABLE use_cases (
    entity_id   INTEGER NOT NULL REFERENCES entities (id),
    version     INTEGER NOT NULL,              -- 1, 2, 3, …
    purpose     TEXT    NOT NULL,
    status      TEXT    NOT NULL,              -- 'proposed' | 'approved' | 'refused'
    proposed_ms INTEGER NOT NULL,
    proposed_by TEXT    NOT NULL,              -- the actor who did
    decided_ms  INTEGER,
    decided_by  TEXT,
    reason      TEXT,                          -- why it was decided so
    PRIMARY KEY (entity_id, version)
) STRICT, WITHOUT ROWID;

-- People who are to belong to a further entity, as soon as both sides consent.
CREATE TABLE joins (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id       INTEGER NOT NULL REFERENCES people (id),
    entity_id       INTEGER NOT NULL REFERENCES entities (id),
    role            TEXT    NOT NULL,          -- 'member' | 'manager'
    proposed_ms     INTEGER NOT NULL,
    proposed_by     TEXT    NOT NULL,          -- the actor who did
    person_ms       INTEGER,                   -- when the person consented, …
    person_by       TEXT,                      -- … the actor who said or recorded it, …
    person_evidence TEXT,                      -- … and what shows it, if it was recorded
    entity_ms       INTEGER,                   -- the same for the entity
    entity_by       TEXT,
    entity_evidence TEXT,
    ended_ms        INTEGER,                   -- NULL: it waits
    outcome         TEXT,                      -- 'joined' | 'withdrawn'
    reason          TEXT                       -- why it was withdrawn
) STRICT;

CREATE INDEX joins_waiting ON joins (entity_id, person_id) WHERE ended_ms IS NULL;

-- Colleagues whom a manager would have in their entity; a row is gone when it was accepted,
-- withdrawn or has become too old.
CREATE TABLE invitations (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    entity_id  INTEGER NOT NULL REFERENCES entities (id),
    mail       TEXT    NOT NULL,               -- normalised
    name       TEXT    NOT NULL,
    invited_ms INTEGER NOT NULL,
    invited_by TEXT    NOT NULL,               -- the actor who did
    UNIQUE (entity_id, mail)
) STRICT;

-- Keys of this database's own, made by chance when they are first needed.
CREATE TABLE secrets (
    name   TEXT PRIMARY KEY,                   -- 'erased-mail': what addresses are hashed with
    secret BLOB NOT NULL CHECK (length(secret) = 32)
) STRICT, WITHOUT ROWID;

-- NULL: who asked was erased, or it is so long ago that nobody needs to know.
ALTER TABLE deliveries ALTER COLUMN person_id DROP NOT NULL;
