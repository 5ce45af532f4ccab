-- What somebody who fetched a file has to delete from their copies. A file that was fetched is held
-- against later removals as long as its person is known, also when it is no longer kept.

ALTER TABLE export_files ADD COLUMN gone BYTEA NOT NULL DEFAULT ''; -- ranges of numbers from 0: its
    -- objects that are removed

CREATE INDEX export_files_fetched ON export_files (removals) WHERE fetches > 0;
