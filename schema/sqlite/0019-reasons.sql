-- Why decisions were made, in words; the journal commits to them, and they can be erased here.

CREATE TABLE reasons (
    sequence INTEGER PRIMARY KEY,        -- of the decision in the journal; its reason's leaf follows it
    salt     BLOB,                   -- of the commitment; NULL: a name was taken out of the reason
    reason   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
