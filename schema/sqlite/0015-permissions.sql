-- Documents, exemptions, permissions, notices, and the profile in force. Times are milliseconds
-- UTC.

-- Versions of documents that an operator has published; before the first of a document the one
-- that the profile names holds.
CREATE TABLE documents (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT    NOT NULL,             -- 'terms-of-service', …
    version      TEXT    NOT NULL,
    url          TEXT    NOT NULL,             -- where it can be read
    from_ms      INTEGER NOT NULL,             -- from here on everybody has to accept it
    published_ms INTEGER NOT NULL,
    published_by TEXT    NOT NULL,             -- the actor who did
    UNIQUE (name, version)
) STRICT;

-- What an application for an exemption says besides its purpose. NULL: it was made before such
-- things were asked.
ALTER TABLE exemptions ADD COLUMN role TEXT;                  -- what the applicant is there
ALTER TABLE exemptions ADD COLUMN non_commercial INTEGER        -- 1: they said so
    CHECK (non_commercial IN (0, 1));
ALTER TABLE exemptions ADD COLUMN attestation TEXT;           -- the version of what was signed, …
ALTER TABLE exemptions ADD COLUMN attestation_sha256 BLOB     -- … and the digest of its text
    CHECK (length(attestation_sha256) = 32);
ALTER TABLE exemptions ADD COLUMN signed_by TEXT;             -- the name that stands under it
ALTER TABLE exemptions ADD COLUMN signed_ms INTEGER;
ALTER TABLE exemptions ADD COLUMN reference TEXT;             -- what supports it: a letter, a grant
ALTER TABLE exemptions ADD COLUMN wanted_from_ms INTEGER;     -- NULL: as soon as may be
ALTER TABLE exemptions ADD COLUMN wanted_ceiling_ids INTEGER; -- NULL: no figure
-- What was decided.
ALTER TABLE exemptions ADD COLUMN conditions TEXT;            -- under which it was approved
ALTER TABLE exemptions ADD COLUMN ceiling_ids INTEGER         -- up to how many IDs; NULL: no figure
    CHECK (ceiling_ids > 0);

-- Written permissions of the platform. The letter itself is not kept, its digest is.
CREATE TABLE permissions (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    entity_id       INTEGER NOT NULL REFERENCES entities (id),
    exemption_id    INTEGER REFERENCES exemptions (id), -- it approves that one; NULL: by itself
    issuer          TEXT    NOT NULL,          -- who permits
    reference       TEXT    NOT NULL,          -- how they name their letter
    issued_on       TEXT    NOT NULL,          -- its date: '2027-06-30'
    from_ms         INTEGER NOT NULL,          -- valid from here …
    until_ms        INTEGER NOT NULL,          -- … to here, this instant not included
    ceiling_ids     INTEGER CHECK (ceiling_ids > 0), -- NULL: no ceiling
    document_sha256 BLOB    NOT NULL CHECK (length(document_sha256) = 32),
    reason          TEXT    NOT NULL,          -- of whoever entered it
    entered_ms      INTEGER NOT NULL,
    entered_by      TEXT    NOT NULL,
    revoked_ms      INTEGER,
    revoked_by      TEXT,
    revoked_reason  TEXT
) STRICT;

CREATE INDEX permissions_of_entity ON permissions (entity_id);

-- What people are to be told, once each.
CREATE TABLE notices (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id INTEGER NOT NULL REFERENCES people (id),
    kind      TEXT    NOT NULL,                -- 'exemption-approved', 'exemption-ends', …
    subject   TEXT    NOT NULL,                -- what it is about: 'exemption:7'
    due_ms    INTEGER NOT NULL,
    done_ms   INTEGER,                         -- when it was sent; NULL: it waits
    UNIQUE (person_id, kind, subject)
) STRICT;

CREATE INDEX notices_waiting ON notices (due_ms) WHERE done_ms IS NULL;

-- The profiles that were ever in force; the last row is.
CREATE TABLE profiles (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT    NOT NULL,
    toml     TEXT    NOT NULL,                 -- every number of it
    sha256   BLOB    NOT NULL CHECK (length(sha256) = 32), -- of that text
    since_ms INTEGER NOT NULL,
    actor    TEXT,                             -- who put it in force; NULL: the first start
    reason   TEXT                              -- why
) STRICT;

-- Under which a gateway started; it charges no more when that is not in force any more.
ALTER TABLE incarnations ADD COLUMN profile_id INTEGER;
