-- The audit log over the journal: its Merkle tree in tiles, the heads that were signed, and the
-- salts behind the names in its leaves. What the journal holds, a tree of it only repeats: all
-- times, leaves and their order stand in `journal`.

-- Leaves about one delivery are found by it, for its receipt.
ALTER TABLE journal ADD COLUMN delivery_id BLOB;
CREATE INDEX journal_of_delivery ON journal (delivery_id, sequence) WHERE delivery_id IS NOT NULL;

-- How leaves name entities and people: SHA-256 over the salt and what they are known by. With the
-- salt erased nobody can tell whom a leaf is about. Those that were entered before there were
-- commitments get one that commits to nothing.
ALTER TABLE entities ADD COLUMN salt BLOB;           -- 32 bytes; NULL: erased
ALTER TABLE entities ADD COLUMN commitment BLOB NOT NULL
    DEFAULT x'0000000000000000000000000000000000000000000000000000000000000000';
UPDATE entities SET commitment = randomblob(32);
CREATE INDEX entities_by_commitment ON entities (commitment);

ALTER TABLE people ADD COLUMN salt BLOB;             -- 32 bytes; NULL: erased
ALTER TABLE people ADD COLUMN commitment BLOB NOT NULL
    DEFAULT x'0000000000000000000000000000000000000000000000000000000000000000';
UPDATE people SET commitment = randomblob(32);
CREATE INDEX people_by_commitment ON people (commitment);

-- The recipient's commitment when it was first charged: leaves about the meter have this one, even
-- when the recipient's own has been erased since.
ALTER TABLE meters ADD COLUMN commitment BLOB NOT NULL
    DEFAULT x'0000000000000000000000000000000000000000000000000000000000000000';
UPDATE meters SET commitment =
    coalesce((SELECT commitment FROM entities WHERE 'entity:' || id = recipient), randomblob(32));

-- One row: how much of the journal is in the tree, and who signs it.
CREATE TABLE audit_log (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    size         INTEGER NOT NULL,           -- so many rows of the journal are in the tiles
    verifier_key TEXT                        -- what checks the log's signatures; NULL: none yet
) STRICT;

INSERT INTO audit_log (id, size) VALUES (1, 0);

CREATE TRIGGER audit_log_never_shrinks BEFORE UPDATE ON audit_log
WHEN NEW.size < OLD.size OR NEW.verifier_key <> OLD.verifier_key
BEGIN
    SELECT raise(ABORT, 'the audit log only grows, under one key');
END;

-- The tree: hash k of tile n of level l is the root over 256^l leaves from (n * 256 + k) * 256^l
-- on. Only the last tile of a level has fewer than 256 hashes.
CREATE TABLE tiles (
    level  INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hashes BLOB    NOT NULL                  -- 32 bytes each
        CHECK (length(hashes) % 32 = 0 AND length(hashes) BETWEEN 32 AND 8192),
    PRIMARY KEY (level, number)
) STRICT;

CREATE TRIGGER tiles_only_grow BEFORE UPDATE ON tiles
WHEN NEW.level <> OLD.level OR NEW.number <> OLD.number
  OR substr(NEW.hashes, 1, length(OLD.hashes)) <> OLD.hashes
BEGIN
    SELECT raise(ABORT, 'a tile only grows');
END;

CREATE TRIGGER tiles_are_never_removed BEFORE DELETE ON tiles
BEGIN
    SELECT raise(ABORT, 'a tile only grows');
END;

-- Every head that was signed.
CREATE TABLE checkpoints (
    size  INTEGER PRIMARY KEY,               -- so many leaves
    at_ms INTEGER NOT NULL,
    root  BLOB    NOT NULL CHECK (length(root) = 32),
    note  TEXT    NOT NULL                   -- as it was signed
) STRICT;

CREATE TRIGGER checkpoints_only_grow BEFORE INSERT ON checkpoints
WHEN EXISTS (SELECT 1 FROM checkpoints WHERE size >= NEW.size)
BEGIN
    SELECT raise(ABORT, 'a checkpoint is larger than all before it');
END;

CREATE TRIGGER checkpoints_are_never_changed BEFORE UPDATE ON checkpoints
BEGIN
    SELECT raise(ABORT, 'what was signed stays signed');
END;

CREATE TRIGGER checkpoints_are_never_removed BEFORE DELETE ON checkpoints
BEGIN
    SELECT raise(ABORT, 'what was signed stays signed');
END;
