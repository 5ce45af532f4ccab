-- What a recipient has been handed, where an element that it has counts once: the IDs of an entity
-- under `count = "distinct"`, and the files of objects of a person, which count with their weight.
-- Only charges that are in this set have rows here; all others count each time ("gross").
-- An element is live as long as it has a reference: one row in seen_newest or seen_older for each
-- charge that has it. It is counted where its newest reference's charge is: in the bucket of its
-- minute, or as open.

-- The charge of one attempt to one meter. Its elements are kept together, so that it can be given
-- back, and can leave, without any other source.
CREATE TABLE seen_charges (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,  -- newer charges have higher numbers
    meter_id  INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    minute    INTEGER,                         -- in whose bucket it is; NULL while it is open
    weight    INTEGER NOT NULL CHECK (weight > 0), -- what each element counts
    newest    INTEGER NOT NULL CHECK (newest >= 0), -- elements whose newest reference is its own
    older     INTEGER NOT NULL CHECK (older >= 0), -- elements that have a newer reference
    charged   INTEGER NOT NULL CHECK (charged > 0), -- elements that it was opened with
    elements  BLOB    NOT NULL                 -- those, ascending, 8 bytes each, most significant
                                               -- first; none, once no reference is left
) STRICT;

CREATE INDEX seen_charges_of_meter ON seen_charges (meter_id, minute, id);

-- The newest reference of each element. An element that is new to a meter is one row here, and
-- the key tells at once when it is not new.
CREATE TABLE seen_newest (
    meter_id  INTEGER NOT NULL,
    element   INTEGER NOT NULL,
    charge_id INTEGER NOT NULL,
    PRIMARY KEY (meter_id, element)
) STRICT, WITHOUT ROWID;

-- Older references that still count: the element falls back to them if the newest is given back.
CREATE TABLE seen_older (
    meter_id  INTEGER NOT NULL,
    element   INTEGER NOT NULL,
    charge_id INTEGER NOT NULL,
    PRIMARY KEY (meter_id, element, charge_id)
) STRICT, WITHOUT ROWID;

-- Which of these charges an open charge is; NULL: each of its IDs counts.
ALTER TABLE open_charges ADD COLUMN seen_charge_id INTEGER;
