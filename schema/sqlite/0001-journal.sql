-- The journal: every decision that changes what anybody may receive or has received, in order.
-- Leaves hold numbers of rows, never names, mail addresses, tokens or lists of IDs.

CREATE TABLE journal (
    sequence INTEGER PRIMARY KEY,              -- 1, 2, 3, … without gaps
    at_ms    INTEGER NOT NULL,                 -- when, in milliseconds UTC
    leaf     TEXT    NOT NULL                  -- one JSON object; `leaf` says which decision
        CHECK (length(CAST(leaf AS BLOB)) <= 65535)
) STRICT;

CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal
BEGIN
    SELECT raise(ABORT, 'the journal is only ever added to');
END;

CREATE TRIGGER journal_is_never_shortened BEFORE DELETE ON journal
BEGIN
    SELECT raise(ABORT, 'the journal is only ever added to');
END;
