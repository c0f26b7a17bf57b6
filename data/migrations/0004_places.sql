-- What people do with places beyond accept and reject, places that people name themselves, and what an analysis finds besides.

ALTER TABLE decision ADD COLUMN detail TEXT NOT NULL DEFAULT '{}';

-- A place with no cluster behind it: somebody knows of it and says how.
CREATE TABLE nomination (
    org_id     TEXT NOT NULL,
    place_id   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    geometry   BYTEA NOT NULL,
    source     TEXT NOT NULL,
    reason     TEXT NOT NULL,
    actor      TEXT NOT NULL,
    made_at_us BIGINT NOT NULL,
    PRIMARY KEY (org_id, place_id)
);

-- Places of one kind against each other: how many records speak of each.
CREATE TABLE run_facility (
    org_id      TEXT NOT NULL,
    run_id      TEXT NOT NULL,
    feature_key BYTEA NOT NULL,
    kind        TEXT NOT NULL,
    name        TEXT NOT NULL,
    records     BIGINT NOT NULL,
    weight      DOUBLE PRECISION NOT NULL,
    evidence    TEXT NOT NULL,
    PRIMARY KEY (org_id, run_id, feature_key),
    FOREIGN KEY (org_id, run_id) REFERENCES run (org_id, run_id)
);

CREATE TABLE run_route (
    org_id     TEXT NOT NULL,
    run_id     TEXT NOT NULL,
    route_id   TEXT NOT NULL,
    rank       BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    name       TEXT,
    vehicles   BIGINT NOT NULL,
    confidence DOUBLE PRECISION NOT NULL,
    geometry   BYTEA NOT NULL,
    evidence   TEXT NOT NULL,
    PRIMARY KEY (org_id, run_id, route_id),
    FOREIGN KEY (org_id, run_id) REFERENCES run (org_id, run_id)
);

CREATE TABLE run_link (
    org_id       TEXT NOT NULL,
    run_id       TEXT NOT NULL,
    first_place  TEXT NOT NULL,
    second_place TEXT NOT NULL,
    significant  BIGINT NOT NULL,
    evidence     TEXT NOT NULL,
    PRIMARY KEY (org_id, run_id, first_place, second_place),
    FOREIGN KEY (org_id, run_id) REFERENCES run (org_id, run_id)
);
