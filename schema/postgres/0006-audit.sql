-- The audit log over the journal: its Merkle tree in tiles, the heads that were signed, and the
-- salts behind the names in its leaves. What the journal holds, a tree of it only repeats: all
-- times, leaves and their order stand in `journal`.

-- Leaves about one delivery are found by it, for its receipt.
ALTER TABLE journal ADD COLUMN delivery_id BYTEA;
CREATE INDEX journal_of_delivery ON journal (delivery_id, sequence) WHERE delivery_id IS NOT NULL;

-- How leaves name entities and people: SHA-256 over the salt and what they are known by. With the
-- salt erased nobody can tell whom a leaf is about. Those that were entered before there were
-- commitments get one that commits to nothing.
CREATE FUNCTION nobody() RETURNS BYTEA LANGUAGE sql VOLATILE AS $$
    SELECT sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'))
$$;

ALTER TABLE entities ADD COLUMN salt BYTEA;          -- 32 bytes; NULL: erased
ALTER TABLE entities ADD COLUMN commitment BYTEA NOT NULL
    DEFAULT '\x0000000000000000000000000000000000000000000000000000000000000000';
UPDATE entities SET commitment = nobody();
CREATE INDEX entities_by_commitment ON entities (commitment);

ALTER TABLE people ADD COLUMN salt BYTEA;            -- 32 bytes; NULL: erased
ALTER TABLE people ADD COLUMN commitment BYTEA NOT NULL
    DEFAULT '\x0000000000000000000000000000000000000000000000000000000000000000';
UPDATE people SET commitment = nobody();
CREATE INDEX people_by_commitment ON people (commitment);

-- The recipient's commitment when it was first charged: leaves about the meter have this one, even
-- when the recipient's own has been erased since.
ALTER TABLE meters ADD COLUMN commitment BYTEA NOT NULL
    DEFAULT '\x0000000000000000000000000000000000000000000000000000000000000000';
UPDATE meters SET commitment =
    coalesce((SELECT commitment FROM entities WHERE 'entity:' || id = recipient), nobody());

DROP FUNCTION nobody();

-- One row: how much of the journal is in the tree, and who signs it.
CREATE TABLE audit_log (
    id           BIGINT PRIMARY KEY CHECK (id = 1),
    size         BIGINT NOT NULL,            -- so many rows of the journal are in the tiles
    verifier_key TEXT                        -- what checks the log's signatures; NULL: none yet
);

INSERT INTO audit_log (id, size) VALUES (1, 0);

CREATE TRIGGER audit_log_never_shrinks BEFORE UPDATE ON audit_log FOR EACH ROW
WHEN (NEW.size < OLD.size OR NEW.verifier_key <> OLD.verifier_key)
EXECUTE FUNCTION refuse('the audit log only grows, under one key');

-- The tree: hash k of tile n of level l is the root over 256^l leaves from (n * 256 + k) * 256^l
-- on. Only the last tile of a level has fewer than 256 hashes.
CREATE TABLE tiles (
    level  BIGINT NOT NULL,
    number BIGINT NOT NULL,
    hashes BYTEA  NOT NULL                   -- 32 bytes each
        CHECK (octet_length(hashes) % 32 = 0 AND octet_length(hashes) BETWEEN 32 AND 8192),
    PRIMARY KEY (level, number)
);

CREATE TRIGGER tiles_only_grow BEFORE UPDATE ON tiles FOR EACH ROW
WHEN (NEW.level <> OLD.level OR NEW.number <> OLD.number
  OR substring(NEW.hashes FROM 1 FOR octet_length(OLD.hashes)) <> OLD.hashes)
EXECUTE FUNCTION refuse('a tile only grows');

CREATE TRIGGER tiles_are_never_removed BEFORE DELETE ON tiles FOR EACH ROW
EXECUTE FUNCTION refuse('a tile only grows');

-- Every head that was signed.
CREATE TABLE checkpoints (
    size  BIGINT PRIMARY KEY,                -- so many leaves
    at_ms BIGINT NOT NULL,
    root  BYTEA  NOT NULL CHECK (octet_length(root) = 32),
    note  TEXT   NOT NULL                    -- as it was signed
);

CREATE FUNCTION checkpoint_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM checkpoints WHERE size >= NEW.size) THEN
        RAISE EXCEPTION 'a checkpoint is larger than all before it';
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER checkpoints_only_grow BEFORE INSERT ON checkpoints FOR EACH ROW
EXECUTE FUNCTION checkpoint_grows();

CREATE TRIGGER checkpoints_are_never_changed BEFORE UPDATE ON checkpoints FOR EACH ROW
EXECUTE FUNCTION refuse('what was signed stays signed');

CREATE TRIGGER checkpoints_are_never_removed BEFORE DELETE ON checkpoints FOR EACH ROW
EXECUTE FUNCTION refuse('what was signed stays signed');
