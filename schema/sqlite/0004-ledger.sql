-- The ledger: what every recipient has been charged, and what is being handed over just now.
-- live = settled within the window (buckets) + open (open_charges), for each meter.
-- Times are milliseconds UTC by ledger time; minutes count from 1970.
-- The tables that every chunk touches have no foreign keys: the ledger has just read the rows
-- that they would look up, in the same transaction.

-- One row for each start of a gateway. Only the start that opened a charge may settle or release
-- it; its successor settles what it left behind.
CREATE TABLE incarnations (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    started_ms INTEGER NOT NULL,
    ended_ms   INTEGER                         -- when a successor took over; NULL: it runs
) STRICT;

-- Ledger time and the clocks that it was read from.
CREATE TABLE ledger_clock (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    time_ms        INTEGER NOT NULL,           -- ledger time at the last reading
    anchor_time_ms INTEGER NOT NULL,           -- ledger time at the anchor, …
    anchor_wall_ms INTEGER NOT NULL,           -- … what the wall clock showed then, …
    anchor_boot_ms INTEGER NOT NULL,           -- … and milliseconds since the boot then
    boot_id        TEXT    NOT NULL,           -- the boot in which that was
    wall           TEXT    NOT NULL CHECK (wall IN ('believed', 'doubted'))
) STRICT;

CREATE TRIGGER ledger_time_never_goes_back BEFORE UPDATE ON ledger_clock
WHEN NEW.time_ms < OLD.time_ms
BEGIN
    SELECT raise(ABORT, 'ledger time never goes back');
END;

-- How full each recipient is, for each unit that it receives.
CREATE TABLE meters (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient   TEXT    NOT NULL,              -- 'entity:7'
    unit        TEXT    NOT NULL,              -- 'tweet' | 'user' | 'dm'
    ceiling_ids INTEGER CHECK (ceiling_ids >= 0), -- as of the last charge; NULL: none
    live_ids    INTEGER NOT NULL CHECK (live_ids >= 0),
    held_ids    INTEGER NOT NULL CHECK (held_ids >= 0), -- kept free for deliveries under way
    UNIQUE (recipient, unit)
) STRICT;

-- The rule once more, below the program. A ceiling that is lowered may leave a recipient over it;
-- what may not be is that anything rises there: what is live, or what is live and held together.
CREATE TRIGGER meters_never_rise_above_their_ceiling BEFORE UPDATE ON meters
WHEN (NEW.live_ids > OLD.live_ids AND NEW.live_ids > NEW.ceiling_ids)
  OR (NEW.live_ids + NEW.held_ids > OLD.live_ids + OLD.held_ids
      AND NEW.live_ids + NEW.held_ids > NEW.ceiling_ids)
BEGIN
    SELECT raise(ABORT, 'a meter would rise above its ceiling');
END;

CREATE TRIGGER meters_begin_empty BEFORE INSERT ON meters
WHEN NEW.live_ids <> 0 OR NEW.held_ids <> 0
BEGIN
    SELECT raise(ABORT, 'a meter begins empty');
END;

-- Settled charges by the minute and by the person who asked. A bucket leaves when its whole
-- minute and the profile's grace are older than the window.
CREATE TABLE buckets (
    meter_id  INTEGER NOT NULL,
    minute    INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    ids       INTEGER NOT NULL CHECK (ids > 0),
    PRIMARY KEY (meter_id, minute, person_id)
) STRICT, WITHOUT ROWID;

-- Charges whose bytes may be under way: they count in full, for ever, until they are settled.
-- One row for each meter that an attempt to hand over a chunk is charged to.
CREATE TABLE open_charges (
    delivery_id    BLOB    NOT NULL,
    attempt        INTEGER NOT NULL,           -- counts the attempts of the delivery from 0
    meter_id       INTEGER NOT NULL,
    incarnation_id INTEGER NOT NULL,           -- who opened it
    person_id      INTEGER NOT NULL,
    ids            INTEGER NOT NULL CHECK (ids > 0),
    basis          TEXT    NOT NULL,           -- 'limit' | 'exemption:7'
    PRIMARY KEY (delivery_id, attempt, meter_id)
) STRICT, WITHOUT ROWID;

-- What a delivery under way may still take without asking anew. A hold is no right to send: it
-- only keeps others from starting what could not finish.
CREATE TABLE holds (
    delivery_id BLOB    NOT NULL,
    meter_id    INTEGER NOT NULL,
    ids         INTEGER NOT NULL CHECK (ids > 0),
    expires_ms  INTEGER NOT NULL,
    PRIMARY KEY (delivery_id, meter_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX holds_of_meter ON holds (meter_id, expires_ms);

-- Every delivery, under way and past. What it has charged is granted_ids - released_ids.
CREATE TABLE deliveries (
    id            BLOB    NOT NULL PRIMARY KEY, -- a UUID of version 7, 16 bytes
    person_id     INTEGER NOT NULL REFERENCES people (id),
    key_id        INTEGER,                     -- NULL: a session
    dataset_id    INTEGER NOT NULL,
    release_id    TEXT    NOT NULL,
    unit          TEXT    NOT NULL,            -- 'tweet' | 'user' | 'dm'
    view          TEXT    NOT NULL,            -- which view of the release the ordinals count in
    first_ordinal INTEGER NOT NULL,
    end_ordinal   INTEGER NOT NULL,            -- the first that was not asked for
    granted_ids   INTEGER NOT NULL,            -- charged so far, …
    released_ids  INTEGER NOT NULL,            -- … and of these given back unsent
    recipients    TEXT    NOT NULL,            -- JSON: who was charged, on which basis
    profile       TEXT    NOT NULL,
    state         TEXT    NOT NULL CHECK (state IN ('running', 'complete', 'broken')),
    reason        TEXT,                        -- why it is broken
    started_ms    INTEGER NOT NULL,
    ended_ms      INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_of_person ON deliveries (person_id, id);
CREATE INDEX deliveries_under_way ON deliveries (id) WHERE state = 'running';
