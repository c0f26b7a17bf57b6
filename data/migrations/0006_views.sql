-- What the pages of an analysis are drawn from: its records by cell, its tiles, and the views and areas that people keep.

CREATE TABLE run_view (
    org_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    name   TEXT NOT NULL,
    body   BYTEA NOT NULL,
    PRIMARY KEY (org_id, run_id, name),
    FOREIGN KEY (org_id, run_id) REFERENCES run (org_id, run_id)
);

-- A filter by a name that an address can carry instead of its words.
CREATE TABLE saved_view (
    org_id     TEXT NOT NULL,
    view_id    TEXT NOT NULL,
    name       TEXT NOT NULL,
    query      TEXT NOT NULL,
    actor      TEXT NOT NULL,
    made_at_us BIGINT NOT NULL,
    PRIMARY KEY (org_id, view_id)
);

-- Every tile asks whether its reader was seen in this hour.
CREATE INDEX audit_event_consultation ON audit_event (org_id, actor, subject, at_us);
