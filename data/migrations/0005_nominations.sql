-- The day by which somebody looks at a nominated place again, Europe/London, as YYYY-MM-DD.

ALTER TABLE nomination ADD COLUMN review_by TEXT NOT NULL DEFAULT '';
