-- The journal: every decision that changes what anybody may receive or has received, in order.
-- Leaves hold numbers of rows, never names, mail addresses, tokens or lists of IDs.

CREATE TABLE journal (
    sequence BIGINT PRIMARY KEY,              -- 1, 2, 3, … without gaps
    at_ms    BIGINT NOT NULL,                 -- when, in milliseconds UTC
    leaf     TEXT    NOT NULL                  -- one JSON object; `leaf` says which decision
        CHECK (octet_length(leaf) <= 65535)
);

-- What a trigger calls that allows nothing: its argument says why.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0];
END;
$$;

CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal FOR EACH ROW
EXECUTE FUNCTION refuse('the journal is only ever added to');

CREATE TRIGGER journal_is_never_shortened BEFORE DELETE ON journal FOR EACH ROW
EXECUTE FUNCTION refuse('the journal is only ever added to');

CREATE TRIGGER journal_is_never_emptied BEFORE TRUNCATE ON journal FOR EACH STATEMENT
EXECUTE FUNCTION refuse('the journal is only ever added to');
