-- name: batches
SELECT batch_id, kind, source, file_name, stem, file_sha256, format, read, accepted, unlocated, rejected, duplicates,
       imported_at_us, imported_by, undone_at_us, mapping, updated, unchanged, missing, redacted, coarsened
FROM batch WHERE org_id = :org_id ORDER BY seq;

-- name: last_batch
SELECT COALESCE(MAX(seq), 0) AS seq FROM batch;

-- name: set_batch_counts
UPDATE batch SET read = :read, accepted = :accepted, unlocated = :unlocated, rejected = :rejected, duplicates = :duplicates,
       updated = :updated, unchanged = :unchanged, missing = :missing, redacted = :redacted, coarsened = :coarsened
WHERE org_id = :org_id AND batch_id = :batch_id;

-- name: mark_undone
UPDATE batch SET undone_at_us = :at_us WHERE org_id = :org_id AND batch_id = :batch_id AND undone_at_us IS NULL;

-- name: forget_record_memberships
DELETE FROM batch_record WHERE org_id = :org_id AND batch_id = :batch_id;

-- name: forget_feature_memberships
DELETE FROM batch_feature WHERE org_id = :org_id AND batch_id = :batch_id;

-- name: forget_quarantine
DELETE FROM quarantine WHERE org_id = :org_id AND batch_id = :batch_id;

-- name: forget_revisions
DELETE FROM revision WHERE org_id = :org_id AND batch_id = :batch_id;

-- name: drop_orphan_hints
DELETE FROM location_hint WHERE org_id = :org_id
AND record_key IN (SELECT record_key FROM batch_record WHERE org_id = :org_id AND batch_id = :batch_id)
AND NOT EXISTS (SELECT 1 FROM batch_record AS other
                WHERE other.org_id = location_hint.org_id AND other.record_key = location_hint.record_key
                AND other.batch_id <> :batch_id);

-- name: drop_orphan_records
DELETE FROM record WHERE org_id = :org_id
AND record_key IN (SELECT record_key FROM batch_record WHERE org_id = :org_id AND batch_id = :batch_id)
AND NOT EXISTS (SELECT 1 FROM batch_record AS other
                WHERE other.org_id = record.org_id AND other.record_key = record.record_key
                AND other.batch_id <> :batch_id);

-- name: drop_orphan_features
DELETE FROM feature WHERE org_id = :org_id
AND feature_key IN (SELECT feature_key FROM batch_feature WHERE org_id = :org_id AND batch_id = :batch_id)
AND NOT EXISTS (SELECT 1 FROM batch_feature AS other
                WHERE other.org_id = feature.org_id AND other.feature_key = feature.feature_key
                AND other.batch_id <> :batch_id);

-- name: quarantine
SELECT q.batch_id, b.file_name, b.kind, b.source, b.format, q.row_number, q.field, q.reason, q.detail, q.row
FROM quarantine AS q JOIN batch AS b ON b.batch_id = q.batch_id
WHERE q.org_id = :org_id AND q.corrected_by IS NULL ORDER BY b.seq, q.row_number;

-- name: mark_corrected
UPDATE quarantine SET corrected_by = :corrected_by
WHERE org_id = :org_id AND batch_id = :batch_id AND row_number = :row_number AND corrected_by IS NULL;

-- name: forget_corrections
UPDATE quarantine SET corrected_by = NULL WHERE org_id = :org_id AND corrected_by = :batch_id;

-- name: quarantine_reasons
SELECT reason, COUNT(*) AS n FROM quarantine WHERE org_id = :org_id AND batch_id = :batch_id
GROUP BY reason ORDER BY reason;

-- name: records_for_analysis
SELECT record_key, kind, source, agency, urn, category, from_us, to_us, time_basis, lon, lat, x_m, y_m,
       location_basis, precision_m, method, vehicle_hash, source_type, grade_source, grade_information, reported_us
FROM record WHERE org_id = :org_id AND kind IN :kinds AND superseded = 0;

-- name: records_packed
SELECT record_key, urn, vehicle_hash, from_us, to_us, lon, lat, x_m, y_m, precision_m, reported_us,
       kind || :mark || source || :mark || agency || :mark || category || :mark || time_basis || :mark || location_basis
       || :mark || method || :mark || source_type || :mark || grade_source || :mark || grade_information AS texts
FROM record WHERE org_id = :org_id AND kind IN :kinds AND superseded = 0;

-- name: record_counts
SELECT kind, COUNT(*) AS records, SUM(CASE WHEN location_basis = 'none' THEN 1 ELSE 0 END) AS unlocated
FROM record WHERE org_id = :org_id AND superseded = 0 GROUP BY kind ORDER BY kind;

-- name: categories
SELECT DISTINCT category FROM record WHERE org_id = :org_id AND superseded = 0 ORDER BY category;

-- name: features_of_kind
SELECT feature_key, kind, subtype, name, level, code, vintage, aliases, repaired, geometry
FROM feature WHERE org_id = :org_id AND kind IN :kinds
AND east >= :west AND west <= :east AND north >= :south AND south <= :north ORDER BY feature_key;

-- name: feature_counts
SELECT kind, COUNT(*) AS features FROM feature WHERE org_id = :org_id GROUP BY kind ORDER BY kind;

-- name: named_areas
SELECT f.feature_key, f.kind, f.name, f.code, f.level, b.source, b.stem, f.geometry
FROM feature AS f
JOIN batch_feature AS m ON m.org_id = f.org_id AND m.feature_key = f.feature_key
JOIN batch AS b ON b.batch_id = m.batch_id
WHERE f.org_id = :org_id AND f.kind IN ('boundary', 'areas')
AND (f.name = :name OR f.code = :name OR b.source = :name OR b.stem = :name)
ORDER BY f.feature_key;

-- name: areas_called
SELECT kind, name, code, level FROM feature
WHERE org_id = :org_id AND kind IN ('boundary', 'areas') AND (name = :name OR code = :name) ORDER BY feature_key;

-- name: quarantine_count
SELECT COUNT(*) AS n FROM quarantine WHERE org_id = :org_id AND corrected_by IS NULL;

-- name: area_names
SELECT DISTINCT b.kind, b.source, b.stem FROM batch AS b
WHERE b.org_id = :org_id AND b.kind IN ('boundary', 'areas') AND b.undone_at_us IS NULL ORDER BY b.stem;

-- name: input_hashes
SELECT b.file_sha256, SUM(CASE WHEN b.accepted > 0 THEN 1 ELSE 0 END) AS times FROM batch AS b
WHERE b.org_id = :org_id AND b.kind IN :kinds AND b.undone_at_us IS NULL GROUP BY b.file_sha256 ORDER BY b.file_sha256;

-- name: file_spans
SELECT b.batch_id, MIN(r.from_us) AS first_us, MAX(r.to_us) - 1 AS last_us, COUNT(*) AS records
FROM batch AS b JOIN batch_record AS m ON m.batch_id = b.batch_id
JOIN record AS r ON r.org_id = m.org_id AND r.record_key = m.record_key
WHERE b.org_id = :org_id AND b.kind IN :kinds AND b.undone_at_us IS NULL GROUP BY b.batch_id ORDER BY b.batch_id;

-- name: records_of_batch
SELECT r.record_key, r.kind, r.source, r.agency, r.urn, r.category, r.from_us, r.to_us, r.time_basis, r.lon, r.lat, r.x_m, r.y_m,
       r.location_basis, r.precision_m, r.method, r.vehicle_hash, r.source_type, r.grade_source, r.grade_information, r.reported_us
FROM batch_record AS m JOIN record AS r ON r.org_id = m.org_id AND r.record_key = m.record_key
WHERE m.org_id = :org_id AND m.batch_id = :batch_id ORDER BY r.record_key;

-- name: whole_record
SELECT record_key, event_id, kind, source, agency, urn, category, from_us, to_us, time_basis, lon, lat, x_m, y_m, cell7, location_basis,
       precision_m, method, vehicle_hash, source_type, grade_scheme, grade_source, grade_information, grade_handling, handling_conditions,
       regime, reported_us, notes, detail, supply_key, superseded, review_us, delete_us
FROM record WHERE org_id = :org_id AND record_key = :record_key;

-- name: newest_records
SELECT record_key, event_id, kind, source, agency, urn, category, from_us, to_us, time_basis, lon, lat, x_m, y_m, cell7, location_basis,
       precision_m, method, vehicle_hash, source_type, grade_scheme, grade_source, grade_information, grade_handling, handling_conditions,
       regime, reported_us, notes, detail, supply_key, superseded, review_us, delete_us
FROM record WHERE org_id = :org_id AND kind IN :kinds AND superseded = 0 ORDER BY from_us DESC, record_key LIMIT :count;

-- name: alterations
SELECT subject FROM alteration WHERE org_id = :org_id ORDER BY alteration_id;

-- name: changes_so_far
SELECT (SELECT COUNT(*) FROM batch WHERE org_id = :org_id AND kind IN ('incidents', 'observations', 'effort')
        AND updated = 0 AND missing = 0) AS added,
       (SELECT COUNT(*) FROM batch WHERE org_id = :org_id AND NOT (kind IN ('incidents', 'observations', 'effort')
        AND updated = 0 AND missing = 0)) AS altering,
       (SELECT COUNT(*) FROM batch WHERE org_id = :org_id AND undone_at_us IS NOT NULL) AS undone,
       (SELECT COUNT(*) FROM alteration WHERE org_id = :org_id) AS alterations,
       (SELECT COUNT(*) FROM tombstone WHERE org_id = :org_id) AS tombstones;

-- name: vehicle_hashes
SELECT org_id, record_key, vehicle_hash FROM record WHERE vehicle_hash <> '' ORDER BY org_id, record_key;

-- name: set_vehicle_hash
UPDATE record SET vehicle_hash = :vehicle_hash WHERE org_id = :org_id AND record_key = :record_key;

-- name: batch_of_record
SELECT b.batch_id FROM batch_record AS m JOIN batch AS b ON b.batch_id = m.batch_id
WHERE m.org_id = :org_id AND m.record_key = :record_key ORDER BY b.seq DESC LIMIT 1;

-- name: completeness
SELECT r.kind, COUNT(*) AS records,
       SUM(CASE WHEN r.category <> '' THEN 1 ELSE 0 END) AS category,
       SUM(CASE WHEN r.agency <> '' THEN 1 ELSE 0 END) AS agency,
       SUM(CASE WHEN r.urn <> '' THEN 1 ELSE 0 END) AS urn,
       SUM(CASE WHEN r.source_type <> '' THEN 1 ELSE 0 END) AS source_type,
       SUM(CASE WHEN r.regime <> '' THEN 1 ELSE 0 END) AS regime,
       SUM(CASE WHEN r.notes <> '' THEN 1 ELSE 0 END) AS notes,
       SUM(CASE WHEN r.vehicle_hash <> '' THEN 1 ELSE 0 END) AS vehicle_hash,
       SUM(CASE WHEN r.grade_scheme <> '' THEN 1 ELSE 0 END) AS grade,
       SUM(CASE WHEN r.time_basis IN ('instant', 'interval') THEN 1 ELSE 0 END) AS time,
       SUM(CASE WHEN r.location_basis <> 'none' THEN 1 ELSE 0 END) AS position,
       SUM(CASE WHEN r.reported_us IS NOT NULL THEN 1 ELSE 0 END) AS reported
FROM record AS r
WHERE r.org_id = :org_id AND r.superseded = 0
GROUP BY r.kind ORDER BY r.kind;

-- name: completeness_of_batch
SELECT r.kind, COUNT(*) AS records,
       SUM(CASE WHEN r.category <> '' THEN 1 ELSE 0 END) AS category,
       SUM(CASE WHEN r.agency <> '' THEN 1 ELSE 0 END) AS agency,
       SUM(CASE WHEN r.urn <> '' THEN 1 ELSE 0 END) AS urn,
       SUM(CASE WHEN r.source_type <> '' THEN 1 ELSE 0 END) AS source_type,
       SUM(CASE WHEN r.regime <> '' THEN 1 ELSE 0 END) AS regime,
       SUM(CASE WHEN r.notes <> '' THEN 1 ELSE 0 END) AS notes,
       SUM(CASE WHEN r.vehicle_hash <> '' THEN 1 ELSE 0 END) AS vehicle_hash,
       SUM(CASE WHEN r.grade_scheme <> '' THEN 1 ELSE 0 END) AS grade,
       SUM(CASE WHEN r.time_basis IN ('instant', 'interval') THEN 1 ELSE 0 END) AS time,
       SUM(CASE WHEN r.location_basis <> 'none' THEN 1 ELSE 0 END) AS position,
       SUM(CASE WHEN r.reported_us IS NOT NULL THEN 1 ELSE 0 END) AS reported
FROM batch_record AS m JOIN record AS r ON r.org_id = m.org_id AND r.record_key = m.record_key
WHERE m.org_id = :org_id AND m.batch_id = :batch_id
GROUP BY r.kind ORDER BY r.kind;

-- name: details
SELECT r.kind, r.detail, COUNT(*) AS records FROM record AS r
WHERE r.org_id = :org_id AND r.superseded = 0 AND r.detail <> ''
GROUP BY r.kind, r.detail ORDER BY r.kind, r.detail;

-- name: details_of_batch
SELECT r.kind, r.detail, COUNT(*) AS records FROM batch_record AS m JOIN record AS r ON r.org_id = m.org_id AND r.record_key = m.record_key
WHERE m.org_id = :org_id AND m.batch_id = :batch_id AND r.detail <> ''
GROUP BY r.kind, r.detail ORDER BY r.kind, r.detail;
