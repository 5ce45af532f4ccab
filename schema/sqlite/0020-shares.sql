-- Peer-review links: made by somebody of an exempt entity, opened by people whom nobody knows. Of
-- them nothing is kept: no address, no browser. Times are milliseconds UTC.

CREATE TABLE shares (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    hash             BLOB    NOT NULL UNIQUE,  -- SHA-256 of the token, 32 bytes
    person_id        INTEGER NOT NULL REFERENCES people (id),   -- who made it …
    entity_id        INTEGER NOT NULL REFERENCES entities (id), -- … on whose behalf …
    exemption_id     INTEGER NOT NULL REFERENCES exemptions (id), -- … under which exemption
    dataset_id       INTEGER NOT NULL,
    release_id       TEXT    NOT NULL,
    unit             TEXT    NOT NULL,         -- 'tweet' | 'user'
    first_ordinal    INTEGER NOT NULL,
    end_ordinal      INTEGER NOT NULL,         -- the first that it does not hand out
    purpose          TEXT    NOT NULL,         -- 'peer-review' | 'replication'
    face             TEXT    NOT NULL,         -- 'blind' | 'named': what it shows of its maker
    label            TEXT    NOT NULL,         -- for the maker alone
    note             TEXT    NOT NULL,         -- for the editor, in the export; '': none
    passphrase       TEXT,                     -- its argon2id hash as a PHC string; NULL: none
    attempts         INTEGER NOT NULL,         -- wrong passphrases in a row …
    attempt_after_ms INTEGER NOT NULL,         -- … and before when none is looked at
    tag_key          BLOB    NOT NULL CHECK (length(tag_key) = 32), -- for the tags of its answers
    downloads_max    INTEGER NOT NULL CHECK (downloads_max > 0),
    ids_max          INTEGER NOT NULL CHECK (ids_max > 0),
    created_ms       INTEGER NOT NULL,
    expires_ms       INTEGER NOT NULL,         -- good up to here, this instant not included
    revoked_ms       INTEGER,                  -- NULL: not revoked
    published_ms     INTEGER                   -- since when it is a page with names; NULL: it is not
) STRICT;

CREATE INDEX shares_of_person ON shares (person_id);

-- What was begun at a link: whoever accepts the terms gets an address that is good for a day.
CREATE TABLE share_downloads (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    share_id    INTEGER NOT NULL REFERENCES shares (id),
    hash        BLOB    NOT NULL UNIQUE,       -- SHA-256 of the secret in the address, 32 bytes
    documents   TEXT    NOT NULL,              -- JSON: what was accepted, [document, version] each
    accepted_ms INTEGER NOT NULL,
    until_ms    INTEGER NOT NULL,              -- good up to here, this instant not included
    begun_ms    INTEGER                        -- when the first ID was charged; NULL: none was
) STRICT;

CREATE INDEX share_downloads_of_share ON share_downloads (share_id, begun_ms);

-- Of which download a delivery is a part; NULL: somebody asked with a key or in a session. A
-- delivery of a link has no person: nobody knows who asked.
ALTER TABLE deliveries ADD COLUMN download_id INTEGER;

CREATE INDEX deliveries_of_download ON deliveries (download_id, id) WHERE download_id IS NOT NULL;
