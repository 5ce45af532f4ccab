-- Datasets and their releases. The journal names their row numbers, so none is used twice.
-- Times are milliseconds UTC.

CREATE TABLE datasets (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The name in URLs: lower-case letters, digits and hyphens.
    slug            TEXT NOT NULL UNIQUE,
    title           TEXT NOT NULL,
    -- Which kinds of IDs a release holds: 'tweet', 'user', 'dm', joined by commas in this order.
    ids             TEXT NOT NULL,
    scope           TEXT NOT NULL CHECK (scope IN ('own', 'embedded', 'referenced')),
    mode            TEXT NOT NULL CHECK (mode IN ('index', 'stream')),
    -- Who sees it: everybody, everybody with a key or session, or the rows of dataset_entities.
    visibility      TEXT NOT NULL CHECK (visibility IN ('public', 'signed-in', 'entities')),
    -- Until this moment nobody sees it; NULL: no embargo.
    embargo_ms      INTEGER,
    created_ms      INTEGER NOT NULL,
    -- From this moment on nobody sees it; NULL: in use.
    retired_ms      INTEGER,
    -- What is served when no release is named; NULL only while the first one is being registered.
    current_release TEXT,
    FOREIGN KEY (id, current_release) REFERENCES releases (dataset_id, id)
) STRICT;

-- The same content has the same ID, so two datasets may share one folder of releases/.
CREATE TABLE releases (
    dataset_id INTEGER NOT NULL REFERENCES datasets (id),
    -- SHA-256 of what is public in it, 64 hexadecimal digits; the folder's name.
    id         TEXT NOT NULL CHECK (length(id) = 64),
    created_ms INTEGER NOT NULL,
    -- How many IDs of each kind; NULL: the release has no such column.
    tweet_ids  INTEGER,
    user_ids   INTEGER,
    dm_ids     INTEGER,
    PRIMARY KEY (dataset_id, id)
) STRICT, WITHOUT ROWID;

-- The entities that see a dataset whose visibility is 'entities'.
CREATE TABLE dataset_entities (
    dataset_id INTEGER NOT NULL REFERENCES datasets (id),
    entity_id  INTEGER NOT NULL REFERENCES entities (id),
    PRIMARY KEY (dataset_id, entity_id)
) STRICT, WITHOUT ROWID;
