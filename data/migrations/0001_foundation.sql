-- Common to both stores: only types and syntax that SQLite and PostgreSQL read alike.
-- Every row carries org_id. Times are microseconds UTC, intervals half-open.

CREATE TABLE batch (
    batch_id       TEXT PRIMARY KEY,
    org_id         TEXT NOT NULL,
    kind           TEXT NOT NULL,
    source         TEXT NOT NULL,
    file_name      TEXT NOT NULL,
    stem           TEXT NOT NULL,
    file_sha256    TEXT NOT NULL,
    format         TEXT NOT NULL,
    read           BIGINT NOT NULL,
    accepted       BIGINT NOT NULL,
    unlocated      BIGINT NOT NULL,
    rejected       BIGINT NOT NULL,
    duplicates     BIGINT NOT NULL,
    imported_at_us BIGINT NOT NULL,
    imported_by    TEXT NOT NULL,
    undone_at_us   BIGINT,
    CHECK (read = accepted + rejected + duplicates),
    CHECK (unlocated <= accepted)
);
CREATE INDEX batch_by_time ON batch (org_id, imported_at_us);

CREATE TABLE record (
    org_id         TEXT NOT NULL,
    record_key     BYTEA NOT NULL,
    event_id       TEXT NOT NULL,
    kind           TEXT NOT NULL,
    source         TEXT NOT NULL,
    agency         TEXT NOT NULL,
    urn            TEXT NOT NULL,
    category       TEXT NOT NULL,
    from_us        BIGINT NOT NULL,
    to_us          BIGINT NOT NULL,
    time_basis     TEXT NOT NULL,
    lon            DOUBLE PRECISION,
    lat            DOUBLE PRECISION,
    x_m            DOUBLE PRECISION,
    y_m            DOUBLE PRECISION,
    cell7          BIGINT NOT NULL,
    location_basis TEXT NOT NULL,
    precision_m    DOUBLE PRECISION,
    vehicle_hash   TEXT NOT NULL,
    PRIMARY KEY (org_id, record_key),
    CHECK (to_us > from_us),
    CHECK ((x_m IS NULL) = (location_basis = 'none'))
);
CREATE INDEX record_by_cell ON record (org_id, cell7);
CREATE INDEX record_by_kind ON record (org_id, kind);

CREATE TABLE batch_record (
    org_id     TEXT NOT NULL,
    batch_id   TEXT NOT NULL REFERENCES batch (batch_id),
    record_key BYTEA NOT NULL,
    PRIMARY KEY (batch_id, record_key)
);
CREATE INDEX batch_record_by_key ON batch_record (org_id, record_key);

CREATE TABLE feature (
    org_id      TEXT NOT NULL,
    feature_key BYTEA NOT NULL,
    kind        TEXT NOT NULL,
    subtype     TEXT NOT NULL,
    name        TEXT NOT NULL,
    level       TEXT NOT NULL,
    code        TEXT NOT NULL,
    vintage     TEXT NOT NULL,
    repaired    BIGINT NOT NULL,
    geometry    BYTEA NOT NULL,
    west        DOUBLE PRECISION NOT NULL,
    south       DOUBLE PRECISION NOT NULL,
    east        DOUBLE PRECISION NOT NULL,
    north       DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (org_id, feature_key)
);
CREATE INDEX feature_by_kind ON feature (org_id, kind);

CREATE TABLE batch_feature (
    org_id      TEXT NOT NULL,
    batch_id    TEXT NOT NULL REFERENCES batch (batch_id),
    feature_key BYTEA NOT NULL,
    PRIMARY KEY (batch_id, feature_key)
);
CREATE INDEX batch_feature_by_key ON batch_feature (org_id, feature_key);

CREATE TABLE quarantine (
    org_id       TEXT NOT NULL,
    batch_id     TEXT NOT NULL REFERENCES batch (batch_id),
    row_number   BIGINT NOT NULL,
    field        TEXT NOT NULL,
    reason       TEXT NOT NULL,
    detail       TEXT NOT NULL,
    row          TEXT NOT NULL,
    corrected_by TEXT,
    PRIMARY KEY (batch_id, row_number)
);

CREATE TABLE run (
    run_id          TEXT NOT NULL,
    org_id          TEXT NOT NULL,
    parameters      TEXT NOT NULL,
    input_hashes    TEXT NOT NULL,
    code_version    TEXT NOT NULL,
    seed            BIGINT NOT NULL,
    generated_at_us BIGINT NOT NULL,
    created_by      TEXT NOT NULL,
    summary         TEXT NOT NULL,
    PRIMARY KEY (org_id, run_id)
);

CREATE TABLE run_cell (
    org_id     TEXT NOT NULL,
    run_id     TEXT NOT NULL,
    cell       BIGINT NOT NULL,
    records    BIGINT NOT NULL,
    days       BIGINT NOT NULL,
    months     BIGINT NOT NULL,
    month_only BIGINT NOT NULL,
    snapped    BIGINT NOT NULL,
    PRIMARY KEY (org_id, run_id, cell),
    FOREIGN KEY (org_id, run_id) REFERENCES run (org_id, run_id)
);

CREATE TABLE place (
    org_id    TEXT NOT NULL,
    place_id  TEXT NOT NULL,
    first_run TEXT NOT NULL,
    last_run  TEXT NOT NULL,
    footprint TEXT NOT NULL,
    PRIMARY KEY (org_id, place_id)
);

CREATE TABLE run_place (
    org_id       TEXT NOT NULL,
    run_id       TEXT NOT NULL,
    place_id     TEXT NOT NULL,
    rank         BIGINT NOT NULL,
    cluster      BIGINT NOT NULL,
    kind         TEXT NOT NULL,
    name         TEXT,
    probability  DOUBLE PRECISION,
    basis        TEXT NOT NULL,
    records      BIGINT NOT NULL,
    footprint    TEXT NOT NULL,
    peak_cell    BIGINT NOT NULL,
    evidence     TEXT NOT NULL,
    alternatives TEXT NOT NULL,
    PRIMARY KEY (org_id, run_id, place_id),
    FOREIGN KEY (org_id, run_id) REFERENCES run (org_id, run_id)
);

CREATE TABLE run_place_record (
    org_id     TEXT NOT NULL,
    run_id     TEXT NOT NULL,
    place_id   TEXT NOT NULL,
    record_key BYTEA NOT NULL,
    PRIMARY KEY (org_id, run_id, record_key)
);
CREATE INDEX run_place_record_by_place ON run_place_record (org_id, run_id, place_id);

CREATE TABLE decision (
    decision_id   TEXT PRIMARY KEY,
    seq           BIGINT NOT NULL UNIQUE,
    org_id        TEXT NOT NULL,
    place_id      TEXT NOT NULL,
    run_id        TEXT NOT NULL,
    verdict       TEXT NOT NULL,
    reason        TEXT NOT NULL,
    actor         TEXT NOT NULL,
    decided_at_us BIGINT NOT NULL
);
CREATE INDEX decision_by_place ON decision (org_id, place_id);

CREATE TABLE audit_event (
    seq           BIGINT PRIMARY KEY,
    at_us         BIGINT NOT NULL,
    org_id        TEXT NOT NULL,
    actor         TEXT NOT NULL,
    verb          TEXT NOT NULL,
    subject       TEXT NOT NULL,
    detail        TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash          TEXT NOT NULL
);

CREATE TABLE disclosure (
    disclosure_id   TEXT PRIMARY KEY,
    org_id          TEXT NOT NULL,
    run_id          TEXT NOT NULL,
    layer           TEXT NOT NULL,
    profile         TEXT NOT NULL,
    format          TEXT NOT NULL,
    purpose         TEXT NOT NULL,
    actor           TEXT NOT NULL,
    disclosed_at_us BIGINT NOT NULL,
    file_name       TEXT NOT NULL,
    sha256          TEXT NOT NULL,
    features        BIGINT NOT NULL,
    suppressed      BIGINT NOT NULL
);

CREATE TABLE account (
    account_id      TEXT PRIMARY KEY,
    org_id          TEXT NOT NULL,
    name            TEXT NOT NULL,
    role            TEXT NOT NULL,
    passphrase_hash TEXT,
    created_at_us   BIGINT NOT NULL,
    disabled_at_us  BIGINT,
    UNIQUE (name)
);

CREATE TABLE sign_in_link (
    token_hash    TEXT PRIMARY KEY,
    account_id    TEXT NOT NULL REFERENCES account (account_id),
    expires_at_us BIGINT NOT NULL,
    used_at_us    BIGINT
);

CREATE TABLE web_session (
    token_hash    TEXT PRIMARY KEY,
    account_id    TEXT NOT NULL REFERENCES account (account_id),
    created_at_us BIGINT NOT NULL,
    seen_at_us    BIGINT NOT NULL,
    expires_at_us BIGINT NOT NULL,
    revoked_at_us BIGINT
);

CREATE TABLE sign_in_attempt (
    name  TEXT NOT NULL,
    at_us BIGINT NOT NULL
);
CREATE INDEX sign_in_attempt_by_name ON sign_in_attempt (name, at_us);
