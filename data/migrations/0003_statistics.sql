-- What the statistics say of a cell; NULL for cells of the shared resolution and in runs made before.

ALTER TABLE run_cell ADD COLUMN share DOUBLE PRECISION;
ALTER TABLE run_cell ADD COLUMN observed BIGINT;
ALTER TABLE run_cell ADD COLUMN expected DOUBLE PRECISION;
ALTER TABLE run_cell ADD COLUMN rate_ratio DOUBLE PRECISION;
ALTER TABLE run_cell ADD COLUMN ratio_low DOUBLE PRECISION;
ALTER TABLE run_cell ADD COLUMN ratio_high DOUBLE PRECISION;
ALTER TABLE run_cell ADD COLUMN p_value DOUBLE PRECISION;
ALTER TABLE run_cell ADD COLUMN q_value DOUBLE PRECISION;
ALTER TABLE run_cell ADD COLUMN scan_p DOUBLE PRECISION;
ALTER TABLE run_cell ADD COLUMN scan_radius BIGINT;
ALTER TABLE run_cell ADD COLUMN hot BIGINT;
ALTER TABLE run_cell ADD COLUMN rate DOUBLE PRECISION;
ALTER TABLE run_cell ADD COLUMN density_km2 DOUBLE PRECISION;
ALTER TABLE run_cell ADD COLUMN gi_star_z DOUBLE PRECISION;
ALTER TABLE run_cell ADD COLUMN gi_star_reliable BIGINT;
ALTER TABLE run_cell ADD COLUMN top_probability DOUBLE PRECISION;
ALTER TABLE run_cell ADD COLUMN trend TEXT;
ALTER TABLE run_cell ADD COLUMN state TEXT;

-- Proofs: false-alarm rates and backtests that were run, and what came of them.
CREATE TABLE proof (
    proof_id   TEXT PRIMARY KEY,
    org_id     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    run_id     TEXT,
    question   TEXT NOT NULL,
    result     TEXT NOT NULL,
    made_at_us BIGINT NOT NULL,
    made_by    TEXT NOT NULL
);
CREATE INDEX proof_by_time ON proof (org_id, made_at_us);
