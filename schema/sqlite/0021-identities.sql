-- What browsers have shown of who somebody is at an OpenID provider. Times are milliseconds UTC.

-- The answers of providers that were taken, one row each, so that none is taken twice; and of
-- somebody who is nobody here yet what the answer said, until they are linked or it is too late.
CREATE TABLE identity_proofs (
    hash       BLOB    NOT NULL PRIMARY KEY,   -- SHA-256 of the secret in the browser's cookie
    issuer     TEXT,                           -- NULL: it has served, and says no more
    subject    TEXT,
    claims     TEXT,                           -- as those of identities
    name       TEXT,                           -- what the provider calls them; NULL: nothing
    mail       TEXT,                           -- normalised; NULL: none that the provider verified
    proved_ms  INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL                -- of no use to its browser from here on
) STRICT, WITHOUT ROWID;

-- The proof with which a registration was sent, if its address was confirmed in the same browser.
ALTER TABLE registrations ADD COLUMN proof_hash BLOB;
