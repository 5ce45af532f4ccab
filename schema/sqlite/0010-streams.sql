-- Deliveries of IDs that stand in no release: of a request's body, and of a source that is
-- stripped in flight, of which nobody knows beforehand how many IDs it has.

-- NULL: a body, which belongs to no dataset.
ALTER TABLE deliveries ALTER COLUMN dataset_id DROP NOT NULL;
-- NULL: of a body or of a source that is stripped in flight.
ALTER TABLE deliveries ALTER COLUMN release_id DROP NOT NULL;
-- NULL: nobody knew.
ALTER TABLE deliveries ALTER COLUMN end_ordinal DROP NOT NULL;
-- What was read and what fell out, as JSON, where it was stripped for the delivery.
ALTER TABLE deliveries ADD COLUMN report TEXT;

-- The name, in the settings, of the source that is stripped in flight; NULL: the dataset has
-- releases. A dataset has the one or the other.
ALTER TABLE datasets ADD COLUMN upstream TEXT;
