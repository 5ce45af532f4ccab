-- Several gateways on one database: each is an instance with starts of its own, settles its own
-- past, and anchors ledger time in its own clocks.

-- One row that every change locks first, before it looks at anything: changes of all instances
-- come one after the other, as those of a database file do.
CREATE TABLE turn (id BIGINT PRIMARY KEY CHECK (id = 1));
INSERT INTO turn (id) VALUES (1);

ALTER TABLE incarnations ADD COLUMN instance TEXT COLLATE "C" NOT NULL DEFAULT 'local';

-- Which start of a gateway hands it over.
ALTER TABLE deliveries ADD COLUMN incarnation_id BIGINT NOT NULL DEFAULT 0;
UPDATE deliveries SET incarnation_id = coalesce((SELECT max(id) FROM incarnations), 0);

-- Ledger time and, for each instance, the clocks that it was read from. The time is the newest
-- of all rows.
CREATE TABLE ledger_clocks (
    instance       TEXT COLLATE "C"    PRIMARY KEY,
    time_ms        BIGINT NOT NULL,           -- ledger time at the last reading
    anchor_time_ms BIGINT NOT NULL,           -- ledger time at the anchor, …
    anchor_wall_ms BIGINT NOT NULL,           -- … what the wall clock showed then, …
    anchor_boot_ms BIGINT NOT NULL,           -- … and milliseconds since the boot then
    boot_id        TEXT    NOT NULL,           -- the boot in which that was
    wall           TEXT    NOT NULL CHECK (wall IN ('believed', 'doubted'))
);

INSERT INTO ledger_clocks
SELECT 'local', time_ms, anchor_time_ms, anchor_wall_ms, anchor_boot_ms, boot_id, wall
FROM ledger_clock;

DROP TABLE ledger_clock;

CREATE TRIGGER ledger_time_of_an_instance_never_goes_back BEFORE UPDATE ON ledger_clocks
FOR EACH ROW WHEN (NEW.time_ms < OLD.time_ms)
EXECUTE FUNCTION refuse('ledger time never goes back');
