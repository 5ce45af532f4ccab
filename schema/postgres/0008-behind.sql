-- Since when, by ledger time, an instance's reading of it may be behind the truth: what is stamped
-- from then on is put forward when the time catches up, also after a new boot. NULL: it is not
-- known to be behind.

ALTER TABLE ledger_clocks ADD COLUMN behind_since_ms BIGINT;

UPDATE ledger_clocks SET behind_since_ms = anchor_time_ms WHERE wall = 'doubted';
