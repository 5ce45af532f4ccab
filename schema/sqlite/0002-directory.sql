-- The directory: who may receive. Row numbers are never used twice, because the journal names
-- them; a status that a program does not know counts as not active. Times are milliseconds UTC.

-- The organisations that are metered.
CREATE TABLE entities (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    slug          TEXT    NOT NULL UNIQUE,
    name          TEXT    NOT NULL,
    sector        TEXT    NOT NULL
        CHECK (sector IN ('academic', 'commercial', 'non-profit', 'government', 'individual')),
    ror           TEXT,                        -- the ROR identifier, nine characters
    status        TEXT    NOT NULL,            -- 'active' | 'suspended'
    status_reason TEXT,                        -- why it is suspended
    created_ms    INTEGER NOT NULL
) STRICT;

-- The humans who belong to them.
CREATE TABLE people (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    mail          TEXT    NOT NULL UNIQUE,     -- normalised: trimmed, lower case
    name          TEXT    NOT NULL,
    status        TEXT    NOT NULL,            -- 'active' | 'suspended'
    status_reason TEXT,                        -- why they are suspended
    created_ms    INTEGER NOT NULL
) STRICT;

-- Who belongs where, and since when.
CREATE TABLE memberships (
    person_id INTEGER NOT NULL REFERENCES people (id),
    entity_id INTEGER NOT NULL REFERENCES entities (id),
    role      TEXT    NOT NULL,                -- 'member' | 'manager'
    from_ms   INTEGER NOT NULL,
    until_ms  INTEGER,                         -- NULL: still a member
    PRIMARY KEY (person_id, entity_id, from_ms)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX memberships_current
    ON memberships (entity_id, person_id) WHERE until_ms IS NULL;

-- API keys. The token itself is never kept.
CREATE TABLE keys (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id    INTEGER NOT NULL REFERENCES people (id),
    hash         BLOB    NOT NULL UNIQUE,      -- SHA-256 of the token, 32 bytes
    label        TEXT    NOT NULL,
    scope        TEXT    NOT NULL,             -- 'download' | 'catalogue'
    created_ms   INTEGER NOT NULL,
    expires_ms   INTEGER NOT NULL,
    revoked_ms   INTEGER,                      -- NULL: not revoked
    last_used_ms INTEGER                       -- NULL: never; exact to a day
) STRICT;

CREATE INDEX keys_of_person ON keys (person_id);

-- Which version of which document each person has accepted.
CREATE TABLE acceptances (
    person_id   INTEGER NOT NULL REFERENCES people (id),
    document    TEXT    NOT NULL,              -- 'terms-of-service', …
    version     TEXT    NOT NULL,
    accepted_ms INTEGER NOT NULL,
    evidence    TEXT    NOT NULL,              -- what shows it: a signed paper, a request
    actor       TEXT    NOT NULL,              -- who recorded it
    PRIMARY KEY (person_id, document, version)
) STRICT, WITHOUT ROWID;

-- Academic exemptions, from the application to the end.
CREATE TABLE exemptions (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    entity_id      INTEGER NOT NULL REFERENCES entities (id), -- the academic institution
    person_id      INTEGER NOT NULL REFERENCES people (id),   -- who applied on its behalf
    purpose        TEXT    NOT NULL,           -- the non-commercial research it is for
    status         TEXT    NOT NULL,           -- 'applied' | 'approved' | 'refused' | 'revoked'
    applied_ms     INTEGER NOT NULL,
    decided_ms     INTEGER,                    -- when it was approved or refused
    decided_by     TEXT,                       -- the actor who did
    reason         TEXT,                       -- the actor's reason
    from_ms        INTEGER,                    -- in force from here, set on approval …
    until_ms       INTEGER NOT NULL,           -- … to here, this instant not included
    revoked_ms     INTEGER,
    revoked_by     TEXT,
    revoked_reason TEXT
) STRICT;

CREATE INDEX exemptions_of_entity ON exemptions (entity_id, status);
