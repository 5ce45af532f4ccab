-- What a gateway looks up when it lost the connection in a commit; who retired an instance that
-- never returns; and that this store moved to another database.

-- The mark of the last change that was committed, for each instance ('' for commands).
CREATE TABLE marks (
    instance TEXT COLLATE "C" PRIMARY KEY,
    mark     BIGINT NOT NULL
);

ALTER TABLE incarnations ADD COLUMN retired_by TEXT;     -- the actor who retired it, …
ALTER TABLE incarnations ADD COLUMN retired_reason TEXT; -- … and why

-- At most one row: where everything is now.
CREATE TABLE moved (
    id     BIGINT PRIMARY KEY CHECK (id = 1),
    target TEXT   NOT NULL,                   -- the address, without its password
    state  TEXT   NOT NULL CHECK (state IN ('begun', 'done')),
    at_ms  BIGINT NOT NULL
);
