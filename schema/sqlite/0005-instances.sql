-- Several gateways on one database: each is an instance with starts of its own, settles its own
-- past, and anchors ledger time in its own clocks. A database file has one instance, `local`.

ALTER TABLE incarnations ADD COLUMN instance TEXT NOT NULL DEFAULT 'local';

-- Which start of a gateway hands it over.
ALTER TABLE deliveries ADD COLUMN incarnation_id INTEGER NOT NULL DEFAULT 0;
UPDATE deliveries SET incarnation_id = coalesce((SELECT max(id) FROM incarnations), 0);

-- Ledger time and, for each instance, the clocks that it was read from. The time is the newest
-- of all rows.
CREATE TABLE ledger_clocks (
    instance       TEXT    PRIMARY KEY,
    time_ms        INTEGER NOT NULL,           -- ledger time at the last reading
    anchor_time_ms INTEGER NOT NULL,           -- ledger time at the anchor, …
    anchor_wall_ms INTEGER NOT NULL,           -- … what the wall clock showed then, …
    anchor_boot_ms INTEGER NOT NULL,           -- … and milliseconds since the boot then
    boot_id        TEXT    NOT NULL,           -- the boot in which that was
    wall           TEXT    NOT NULL CHECK (wall IN ('believed', 'doubted'))
) STRICT, WITHOUT ROWID;

INSERT INTO ledger_clocks
SELECT 'local', time_ms, anchor_time_ms, anchor_wall_ms, anchor_boot_ms, boot_id, wall
FROM ledger_clock;

DROP TABLE ledger_clock;

CREATE TRIGGER ledger_time_of_an_instance_never_goes_back BEFORE UPDATE ON ledger_clocks
WHEN NEW.time_ms < OLD.time_ms
BEGIN
    SELECT raise(ABORT, 'ledger time never goes back');
END;
