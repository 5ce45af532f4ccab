-- What was asked of the platform: each credential's spending by day, hydrations, and batch
-- compliance jobs. Times are milliseconds UTC.

-- What was spent before each request went out. Days, so that a month may begin on any of them.
CREATE TABLE upstream_days (
    credential TEXT    NOT NULL,                -- its name in the settings
    day_ms     INTEGER NOT NULL,                -- the beginning of the day
    requests   INTEGER NOT NULL CHECK (requests >= 0),
    tweets     INTEGER NOT NULL CHECK (tweets >= 0), -- Tweets that were asked for
    users      INTEGER NOT NULL CHECK (users >= 0),  -- Users that were asked for
    PRIMARY KEY (credential, day_ms)
) STRICT, WITHOUT ROWID;

-- What the platform said last about a credential.
CREATE TABLE upstream_credentials (
    credential      TEXT PRIMARY KEY,
    tweets_requests INTEGER,                    -- requests a window, by its headers; NULL: unknown
    users_requests  INTEGER,
    stop            TEXT,                       -- 'usage-cap', …; NULL: nothing stops it
    stop_ms         INTEGER,
    stop_until_ms   INTEGER                     -- when it may be tried again; NULL: at any time
) STRICT, WITHOUT ROWID;

-- Objects fetched into archives. What was fetched is in the archive, not here.
CREATE TABLE hydrations (
    id         TEXT    PRIMARY KEY,             -- a UUID
    kind       TEXT    NOT NULL,                -- 'tweet' or 'user'
    credential TEXT    NOT NULL,
    archive    TEXT    NOT NULL,                -- where it writes
    ids        INTEGER NOT NULL,
    state      TEXT    NOT NULL,                -- 'running', 'paused' or 'done'
    why        TEXT,                            -- why it is paused
    found      INTEGER NOT NULL DEFAULT 0,
    deleted    INTEGER NOT NULL DEFAULT 0,
    protected  INTEGER NOT NULL DEFAULT 0,
    suspended  INTEGER NOT NULL DEFAULT 0,
    withheld   INTEGER NOT NULL DEFAULT 0,
    unknown    INTEGER NOT NULL DEFAULT 0,
    started_ms INTEGER NOT NULL,
    started_by TEXT    NOT NULL,
    changed_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Batch compliance jobs: lists of IDs that the platform holds against what is gone.
CREATE TABLE compliance_jobs (
    id            TEXT    PRIMARY KEY,          -- the platform's number
    kind          TEXT    NOT NULL,             -- 'tweet' or 'user'
    credential    TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    ids           INTEGER NOT NULL,
    state         TEXT    NOT NULL,             -- 'created', 'uploaded', or what the platform says
    created_ms    INTEGER NOT NULL,
    created_by    TEXT    NOT NULL,
    changed_ms    INTEGER NOT NULL,
    result        TEXT,                         -- the file of the result; NULL: not fetched
    result_sha256 BLOB CHECK (length(result_sha256) = 32)
) STRICT, WITHOUT ROWID;
