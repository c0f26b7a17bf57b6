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

-- name: rename_record
UPDATE record SET record_key = :new_key WHERE org_id = :org_id AND record_key = :record_key;

-- name: rename_membership
UPDATE batch_record SET record_key = :new_key WHERE org_id = :org_id AND record_key = :record_key;

-- name: rename_hint
UPDATE location_hint SET record_key = :new_key WHERE org_id = :org_id AND record_key = :record_key;

-- name: rename_run_record
UPDATE run_place_record SET record_key = :new_key WHERE org_id = :org_id AND record_key = :record_key;

-- name: rename_old
UPDATE revision SET old_key = :new_key WHERE org_id = :org_id AND old_key = :record_key;

-- name: rename_new
UPDATE revision SET new_key = :new_key WHERE org_id = :org_id AND new_key = :record_key;
