-- name: hints_of_batch
SELECT h.record_key, h.method, h.hint FROM location_hint AS h
JOIN batch_record AS m ON m.org_id = h.org_id AND m.record_key = h.record_key
JOIN record AS r ON r.org_id = h.org_id AND r.record_key = h.record_key AND r.superseded = 0
WHERE h.org_id = :org_id AND m.batch_id = :batch_id ORDER BY h.record_key, h.method;

-- name: hints_waiting
SELECT COUNT(DISTINCT h.record_key) AS n FROM location_hint AS h
JOIN record AS r ON r.org_id = h.org_id AND r.record_key = h.record_key AND r.superseded = 0
WHERE h.org_id = :org_id;

-- name: hints_of_record
SELECT method, hint FROM location_hint WHERE org_id = :org_id AND record_key = :record_key ORDER BY method;

-- name: place_record
UPDATE record SET lon = :lon, lat = :lat, x_m = :x_m, y_m = :y_m, cell7 = :cell7, location_basis = :location_basis,
       precision_m = :precision_m, method = :method
WHERE org_id = :org_id AND record_key = :record_key;

-- name: forget_hints
DELETE FROM location_hint WHERE org_id = :org_id AND record_key = :record_key;

-- name: exact_positions
SELECT record_key, lon, lat, x_m, y_m FROM record
WHERE org_id = :org_id AND location_basis NOT IN ('none', 'cell') ORDER BY record_key;

-- name: coarse_keys
SELECT record_key FROM record WHERE org_id = :org_id AND location_basis = 'cell';

-- name: record_held
SELECT COALESCE(supply_key, record_key) AS identity FROM record WHERE org_id = :org_id AND record_key = :record_key;

-- name: merge_memberships
DELETE FROM batch_record WHERE org_id = :org_id AND record_key = :record_key
AND batch_id IN (SELECT batch_id FROM batch_record WHERE org_id = :org_id AND record_key = :new_key);

-- name: merge_record
DELETE FROM record WHERE org_id = :org_id AND record_key = :record_key;

-- name: rename_record
UPDATE record SET record_key = :new_key WHERE org_id = :org_id AND record_key = :record_key;

-- name: rename_membership
UPDATE batch_record SET record_key = :new_key WHERE org_id = :org_id AND record_key = :record_key;

-- name: rename_hint
UPDATE location_hint SET record_key = :new_key WHERE org_id = :org_id AND record_key = :record_key;

-- name: rename_identity
UPDATE record SET supply_key = :new_key WHERE org_id = :org_id AND supply_key = :record_key;

-- name: revisions_naming
SELECT batch_id, identity, old_key, new_key, changes FROM revision
WHERE org_id = :org_id AND (identity IN :record_keys OR old_key IN :record_keys OR new_key IN :record_keys);

-- name: rename_in_revision
UPDATE revision SET identity = :new_identity, old_key = :old_key, new_key = :new_key, changes = :changes
WHERE org_id = :org_id AND batch_id = :batch_id AND identity = :identity;

-- name: run_records_naming
SELECT run_id, record_key FROM run_place_record WHERE org_id = :org_id AND record_key IN :record_keys;

-- name: rename_run_record
UPDATE run_place_record SET record_key = :new_key WHERE org_id = :org_id AND run_id = :run_id AND record_key = :record_key
AND NOT EXISTS (SELECT 1 FROM run_place_record AS other
                WHERE other.org_id = :org_id AND other.run_id = :run_id AND other.record_key = :new_key);

-- name: drop_run_record
DELETE FROM run_place_record WHERE org_id = :org_id AND run_id = :run_id AND record_key = :record_key;

-- name: run_matches_naming
SELECT run_id, record_key, event_key FROM run_match
WHERE org_id = :org_id AND (record_key IN :record_keys OR event_key IN :record_keys);

-- name: rename_run_match
UPDATE run_match SET record_key = :new_key, event_key = :event_key
WHERE org_id = :org_id AND run_id = :run_id AND record_key = :record_key
AND (record_key = :new_key OR NOT EXISTS (SELECT 1 FROM run_match AS other
     WHERE other.org_id = :org_id AND other.run_id = :run_id AND other.record_key = :new_key));

-- name: drop_run_match
DELETE FROM run_match WHERE org_id = :org_id AND run_id = :run_id AND record_key = :record_key;

-- name: splits_whole
SELECT first_key, second_key, reason, actor, split_at_us FROM event_split WHERE org_id = :org_id;
