-- Keys that slept and were woken, or have a successor; and what was answered to requests that may
-- be sent twice. Times are milliseconds UTC.

ALTER TABLE keys ADD COLUMN reactivated_ms INTEGER;    -- a dormant key is awake since then
ALTER TABLE keys ADD COLUMN successor_id INTEGER;      -- the key that takes its place, in an overlap

-- The requests of a day that carried an Idempotency-Key.
CREATE TABLE requests (
    actor  TEXT NOT NULL,                  -- who sent it
    name   TEXT NOT NULL,                  -- the Idempotency-Key
    sha256 BLOB   NOT NULL,                  -- of what was asked for
    answer TEXT   NOT NULL,                  -- JSON, without secrets
    at_ms  INTEGER NOT NULL,
    PRIMARY KEY (actor, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX requests_by_age ON requests (at_ms);
