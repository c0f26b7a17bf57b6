-- Grading, free text behind the guard, versions of supplied records, retention, and what a person said about matches.

ALTER TABLE record ADD COLUMN method TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN source_type TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN grade_scheme TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN grade_source TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN grade_information TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN grade_handling TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN handling_conditions TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN regime TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN reported_us BIGINT;
ALTER TABLE record ADD COLUMN notes TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN detail TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN supply_key BYTEA;
ALTER TABLE record ADD COLUMN superseded BIGINT NOT NULL DEFAULT 0;
ALTER TABLE record ADD COLUMN review_us BIGINT;
ALTER TABLE record ADD COLUMN delete_us BIGINT;
CREATE INDEX record_by_supply ON record (org_id, supply_key) WHERE supply_key IS NOT NULL;
CREATE INDEX record_by_deletion ON record (org_id, delete_us) WHERE delete_us IS NOT NULL;
UPDATE record SET method = 'given' WHERE location_basis <> 'none';
-- Records that are here already get the usual dates: 24 months from their import, observations 12, sightings 6.
UPDATE record SET delete_us = CASE kind WHEN 'observations' THEN 31557600000000 WHEN 'sightings' THEN 15778800000000 ELSE 63115200000000 END
    + (SELECT MIN(b.imported_at_us) FROM batch_record AS m JOIN batch AS b ON b.batch_id = m.batch_id
       WHERE m.org_id = record.org_id AND m.record_key = record.record_key);
UPDATE record SET review_us = delete_us - CASE kind WHEN 'observations' THEN 7889400000000 WHEN 'sightings' THEN 3944700000000 ELSE 15778800000000 END;

-- Order of import, whatever the clock says.
ALTER TABLE batch ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
UPDATE batch SET seq = (SELECT COUNT(*) FROM batch AS b
    WHERE b.imported_at_us < batch.imported_at_us OR (b.imported_at_us = batch.imported_at_us AND b.batch_id <= batch.batch_id));
ALTER TABLE batch ADD COLUMN mapping TEXT NOT NULL DEFAULT '';
ALTER TABLE batch ADD COLUMN updated BIGINT NOT NULL DEFAULT 0;
ALTER TABLE batch ADD COLUMN unchanged BIGINT NOT NULL DEFAULT 0;
ALTER TABLE batch ADD COLUMN missing BIGINT NOT NULL DEFAULT 0;
ALTER TABLE batch ADD COLUMN redacted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE batch ADD COLUMN coarsened BIGINT NOT NULL DEFAULT 0;

-- One line a change: a record's new version (new_key), or its absence from a full supply (new_key null).
CREATE TABLE revision (
    org_id    TEXT NOT NULL,
    batch_id  TEXT NOT NULL REFERENCES batch (batch_id),
    identity  BYTEA NOT NULL,
    old_key   BYTEA NOT NULL,
    new_key   BYTEA,
    changes   TEXT NOT NULL,
    PRIMARY KEY (batch_id, identity)
);
CREATE INDEX revision_by_identity ON revision (org_id, identity);

-- What an unlocated row says of its place: a guarded name, or a keyed hash of a postcode or UPRN. Gone once it is placed.
CREATE TABLE location_hint (
    org_id     TEXT NOT NULL,
    record_key BYTEA NOT NULL,
    method     TEXT NOT NULL,
    hint       TEXT NOT NULL,
    PRIMARY KEY (org_id, record_key, method)
);

CREATE TABLE mapping (
    org_id      TEXT NOT NULL,
    name        TEXT NOT NULL,
    version     BIGINT NOT NULL,
    text        TEXT NOT NULL,
    saved_at_us BIGINT NOT NULL,
    saved_by    TEXT NOT NULL,
    PRIMARY KEY (org_id, name, version)
);

-- Pairs that a person says are two events, whatever the matching says.
CREATE TABLE event_split (
    org_id      TEXT NOT NULL,
    first_key   BYTEA NOT NULL,
    second_key  BYTEA NOT NULL,
    reason      TEXT NOT NULL,
    actor       TEXT NOT NULL,
    split_at_us BIGINT NOT NULL,
    PRIMARY KEY (org_id, first_key, second_key)
);

-- Reports that an analysis counted once with another, and why.
CREATE TABLE run_match (
    org_id     TEXT NOT NULL,
    run_id     TEXT NOT NULL,
    record_key BYTEA NOT NULL,
    event_key  BYTEA NOT NULL,
    reason     TEXT NOT NULL,
    words      TEXT NOT NULL,
    PRIMARY KEY (org_id, run_id, record_key),
    FOREIGN KEY (org_id, run_id) REFERENCES run (org_id, run_id)
);

-- Positions that a person or a gazetteer gave after the import, or a correction: they are inputs of an analysis too.
CREATE TABLE alteration (
    alteration_id TEXT PRIMARY KEY,
    org_id        TEXT NOT NULL,
    subject       TEXT NOT NULL,
    at_us         BIGINT NOT NULL,
    actor         TEXT NOT NULL
);
CREATE INDEX alteration_by_org ON alteration (org_id);

-- What is left of a purged record: that there was one, under a keyed hash, so that its file cannot bring it back.
CREATE TABLE tombstone (
    org_id       TEXT NOT NULL,
    tomb_key     BYTEA NOT NULL,
    kind         TEXT NOT NULL,
    purged_at_us BIGINT NOT NULL,
    PRIMARY KEY (org_id, tomb_key)
);

CREATE TABLE coarse_count (
    org_id  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    month   TEXT NOT NULL,
    cell    BIGINT NOT NULL,
    records BIGINT NOT NULL,
    PRIMARY KEY (org_id, kind, month, cell)
);

CREATE TABLE recall (
    disclosure_id  TEXT NOT NULL,
    org_id         TEXT NOT NULL,
    recalled_at_us BIGINT NOT NULL,
    reason         TEXT NOT NULL,
    actor          TEXT NOT NULL,
    PRIMARY KEY (disclosure_id, recalled_at_us)
);
ALTER TABLE run ADD COLUMN purged_at_us BIGINT;

-- What a person says a repeated coordinate is, whatever the detector says.
CREATE TABLE stack_ruling (
    org_id      TEXT NOT NULL,
    stack_id    TEXT NOT NULL,
    stack_class TEXT NOT NULL,
    reason      TEXT NOT NULL,
    actor       TEXT NOT NULL,
    ruled_at_us BIGINT NOT NULL,
    PRIMARY KEY (org_id, stack_id)
);

ALTER TABLE feature ADD COLUMN aliases TEXT NOT NULL DEFAULT '';
