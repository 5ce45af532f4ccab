-- How people prove who they are: links, sessions, registrations, and the letters that go out about
-- them. A secret itself is never kept, only its SHA-256. Times are milliseconds UTC.

-- Links by which a person signs in, each good for one time.
CREATE TABLE sign_in_links (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id  INTEGER NOT NULL REFERENCES people (id),
    hash       BLOB    NOT NULL UNIQUE,        -- SHA-256 of the secret in the link, 32 bytes
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms    INTEGER                         -- NULL: not used
) STRICT;

CREATE INDEX sign_in_links_of_person ON sign_in_links (person_id, created_ms);

-- Browsers in which a person has signed in.
CREATE TABLE sessions (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id     INTEGER NOT NULL REFERENCES people (id),
    hash          BLOB    NOT NULL UNIQUE,     -- SHA-256 of the cookie's secret, 32 bytes
    previous_hash BLOB    UNIQUE,              -- of the one before, good for a moment longer
    form_key      BLOB    NOT NULL,            -- what its forms carry; 32 bytes by chance
    label         TEXT    NOT NULL,            -- family of the browser and of its system
    created_ms    INTEGER NOT NULL,
    seen_ms       INTEGER NOT NULL,            -- last use, exact to a minute
    rotated_ms    INTEGER NOT NULL,            -- since when the secret is this one; 0: too long
    until_ms      INTEGER NOT NULL,            -- over at this instant if nobody uses it before, …
    end_ms        INTEGER NOT NULL,            -- … and at this one anyway
    revoked_ms    INTEGER                      -- NULL: not revoked
) STRICT;

CREATE INDEX sessions_of_person ON sessions (person_id);

-- People who asked to be let in, until an operator has decided.
CREATE TABLE registrations (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    mail         TEXT    NOT NULL,             -- normalised
    name         TEXT    NOT NULL,
    organisation TEXT    NOT NULL,             -- in their own words
    purpose      TEXT    NOT NULL,             -- what for, in their own words
    status       TEXT    NOT NULL,             -- 'asked' | 'verified' | 'assigned' | 'refused'
    hash         BLOB    UNIQUE,               -- of the secret that was mailed; NULL: none yet
    created_ms   INTEGER NOT NULL,
    expires_ms   INTEGER NOT NULL,             -- to be verified before this instant
    verified_ms  INTEGER,
    decided_ms   INTEGER,
    decided_by   TEXT,                         -- the actor who did
    reason       TEXT,                         -- why it was refused
    person_id    INTEGER REFERENCES people (id), -- who came of it
    entity_id    INTEGER REFERENCES entities (id)
) STRICT;

CREATE INDEX registrations_of_mail ON registrations (mail);

-- Who somebody is elsewhere: a subject of an OpenID provider.
CREATE TABLE identities (
    issuer     TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    person_id  INTEGER NOT NULL REFERENCES people (id),
    claims     TEXT    NOT NULL,               -- JSON: what the provider says of affiliation
    linked_ms  INTEGER NOT NULL,
    seen_ms    INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX identities_of_person ON identities (person_id);

-- Mail that is to go out. No row holds a secret: a link is made in the moment of sending.
CREATE TABLE letters (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    mail            TEXT    NOT NULL,          -- to whom
    kind            TEXT    NOT NULL,          -- 'sign-in' | 'verification' | 'notice'
    person_id       INTEGER REFERENCES people (id),
    registration_id INTEGER REFERENCES registrations (id),
    subject         TEXT,                      -- of a notice
    text            TEXT,                      -- of a notice
    created_ms      INTEGER NOT NULL,
    due_ms          INTEGER NOT NULL,          -- not to be tried before
    expires_ms      INTEGER NOT NULL,          -- not to be tried from here on
    attempts        INTEGER NOT NULL
) STRICT;

CREATE INDEX letters_due ON letters (due_ms);
