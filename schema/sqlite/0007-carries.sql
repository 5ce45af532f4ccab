-- Charges that come to a meter without a delivery of its own, and the frozen ledger.

-- What a meter was charged because a person joined, an entity was merged into it, or a part of
-- the ledger was lost. Such a charge may raise a meter above its ceiling: that is what it is for.
CREATE TABLE carries (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    meter_id INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL,
    ids      INTEGER NOT NULL CHECK (ids > 0),
    source   TEXT    NOT NULL CHECK (source IN ('join', 'merge', 'phantom', 'replay')),
    is_open  INTEGER NOT NULL CHECK (is_open IN (0, 1)) -- 1 only within the transaction
) STRICT;

CREATE INDEX carries_open ON carries (meter_id) WHERE is_open = 1;

DROP TRIGGER meters_never_rise_above_their_ceiling;

CREATE TRIGGER meters_never_rise_above_their_ceiling BEFORE UPDATE ON meters
WHEN ((NEW.live_ids > OLD.live_ids AND NEW.live_ids > NEW.ceiling_ids)
   OR (NEW.live_ids + NEW.held_ids > OLD.live_ids + OLD.held_ids
       AND NEW.live_ids + NEW.held_ids > NEW.ceiling_ids))
 AND NOT EXISTS (
     SELECT 1 FROM carries c
     WHERE c.meter_id = NEW.id AND c.is_open = 1
       AND NEW.live_ids - OLD.live_ids = c.ids AND NEW.held_ids = OLD.held_ids)
BEGIN
    SELECT raise(ABORT, 'a meter would rise above its ceiling');
END;

-- When and why the ledger was frozen, and how it was thawed. As long as one is not thawed nothing
-- is written into the journal, and so nothing is charged, entered or decided.
CREATE TABLE freezes (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms      INTEGER NOT NULL,
    why        TEXT    NOT NULL,
    known_size INTEGER NOT NULL,               -- the largest head of the log that was known …
    known_root BLOB    NOT NULL CHECK (length(known_root) = 32),
    log_size   INTEGER NOT NULL,               -- … and how long the log was instead
    thawed_ms  INTEGER,                        -- NULL: it is frozen
    thawed_by  TEXT,
    reason     TEXT
) STRICT;

CREATE TRIGGER journal_is_frozen BEFORE INSERT ON journal
WHEN EXISTS (SELECT 1 FROM freezes WHERE thawed_ms IS NULL)
BEGIN
    SELECT raise(ABORT, 'the ledger is frozen');
END;

-- Heads of the log that were known when it was thawed, and that it goes on without.
CREATE TABLE abandoned_heads (
    size INTEGER NOT NULL,
    root BLOB NOT NULL CHECK (length(root) = 32),
    PRIMARY KEY (size, root)
) STRICT, WITHOUT ROWID;
