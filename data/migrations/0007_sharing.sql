-- Which analysis people outside operations see, and which they saw before. At most one of an organisation is live.

CREATE TABLE sharing (
    org_id         TEXT NOT NULL,
    seq            BIGINT NOT NULL,
    run_id         TEXT NOT NULL,
    run_made_at_us BIGINT NOT NULL,
    purpose        TEXT NOT NULL,
    actor          TEXT NOT NULL,
    shared_at_us   BIGINT NOT NULL,
    live           BIGINT NOT NULL,
    PRIMARY KEY (org_id, seq)
);
CREATE UNIQUE INDEX sharing_live ON sharing (org_id) WHERE live = 1;
