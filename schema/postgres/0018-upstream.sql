-- What was asked of the platform: each credential's spending by day, hydrations, and batch
-- compliance jobs. Times are milliseconds UTC.

-- What was spent before each request went out. Days, so that a month may begin on any of them.
CREATE TABLE upstream_days (
    credential TEXT COLLATE "C" NOT NULL,    -- its name in the settings
    day_ms     BIGINT NOT NULL,                -- the beginning of the day
    requests   BIGINT NOT NULL CHECK (requests >= 0),
    tweets     BIGINT NOT NULL CHECK (tweets >= 0), -- Tweets that were asked for
    users      BIGINT NOT NULL CHECK (users >= 0),  -- Users that were asked for
    PRIMARY KEY (credential, day_ms)
);

-- What the platform said last about a credential.
CREATE TABLE upstream_credentials (
    credential      TEXT COLLATE "C" PRIMARY KEY,
    tweets_requests BIGINT,                    -- requests a window, by its headers; NULL: unknown
    users_requests  BIGINT,
    stop            TEXT,                       -- 'usage-cap', …; NULL: nothing stops it
    stop_ms         BIGINT,
    stop_until_ms   BIGINT                     -- when it may be tried again; NULL: at any time
);

-- Objects fetched into archives. What was fetched is in the archive, not here.
CREATE TABLE hydrations (
    id         TEXT COLLATE "C" PRIMARY KEY,             -- a UUID
    kind       TEXT    NOT NULL,                -- 'tweet' or 'user'
    credential TEXT    NOT NULL,
    archive    TEXT    NOT NULL,                -- where it writes
    ids        BIGINT NOT NULL,
    state      TEXT    NOT NULL,                -- 'running', 'paused' or 'done'
    why        TEXT,                            -- why it is paused
    found      BIGINT NOT NULL DEFAULT 0,
    deleted    BIGINT NOT NULL DEFAULT 0,
    protected  BIGINT NOT NULL DEFAULT 0,
    suspended  BIGINT NOT NULL DEFAULT 0,
    withheld   BIGINT NOT NULL DEFAULT 0,
    unknown    BIGINT NOT NULL DEFAULT 0,
    started_ms BIGINT NOT NULL,
    started_by TEXT    NOT NULL,
    changed_ms BIGINT NOT NULL
);

-- Batch compliance jobs: lists of IDs that the platform holds against what is gone.
CREATE TABLE compliance_jobs (
    id            TEXT COLLATE "C" PRIMARY KEY,          -- the platform's number
    kind          TEXT    NOT NULL,             -- 'tweet' or 'user'
    credential    TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    ids           BIGINT NOT NULL,
    state         TEXT    NOT NULL,             -- 'created', 'uploaded', or what the platform says
    created_ms    BIGINT NOT NULL,
    created_by    TEXT    NOT NULL,
    changed_ms    BIGINT NOT NULL,
    result        TEXT,                         -- the file of the result; NULL: not fetched
    result_sha256 BYTEA CHECK (length(result_sha256) = 32)
);
