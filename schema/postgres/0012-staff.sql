-- Who runs the gateway: people of the directory with a say over others. Times are milliseconds UTC.
CREATE TABLE staff (
    person_id    BIGINT PRIMARY KEY REFERENCES people (id),
    rank         TEXT NOT NULL,                -- 'operator' | 'auditor'
    appointed_ms BIGINT NOT NULL,
    appointed_by TEXT NOT NULL                 -- the actor who did
);
