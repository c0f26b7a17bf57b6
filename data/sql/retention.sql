-- name: expired_records
SELECT r.record_key, COALESCE(r.supply_key, r.record_key) AS identity, r.kind, r.from_us, r.to_us, r.lon, r.lat, r.location_basis,
       r.superseded,
       CASE WHEN EXISTS (SELECT 1 FROM record AS o WHERE o.org_id = r.org_id AND o.supply_key = COALESCE(r.supply_key, r.record_key)
                         AND (o.delete_us IS NULL OR o.delete_us > :now_us))
              OR EXISTS (SELECT 1 FROM record AS o WHERE o.org_id = r.org_id AND o.record_key = r.supply_key
                         AND (o.delete_us IS NULL OR o.delete_us > :now_us)) THEN 1 ELSE 0 END AS outlived
FROM record AS r
WHERE r.org_id = :org_id AND r.delete_us IS NOT NULL AND r.delete_us <= :now_us ORDER BY r.record_key;

-- name: records_due
SELECT COUNT(CASE WHEN superseded = 0 AND review_us <= :now_us AND (delete_us IS NULL OR delete_us > :now_us) THEN 1 END) AS review,
       COUNT(DISTINCT CASE WHEN delete_us <= :now_us THEN COALESCE(supply_key, record_key) END) AS deletion
FROM record WHERE org_id = :org_id;

-- name: rejected_rows
SELECT COUNT(*) AS n FROM quarantine WHERE org_id = :org_id AND batch_id IN :batch_ids;

-- name: batches_of_records
SELECT DISTINCT batch_id FROM batch_record WHERE org_id = :org_id AND record_key IN :record_keys;

-- name: purge_hints
DELETE FROM location_hint WHERE org_id = :org_id AND record_key IN :record_keys;

-- name: purge_memberships
DELETE FROM batch_record WHERE org_id = :org_id AND record_key IN :record_keys;

-- name: purge_run_records
DELETE FROM run_place_record WHERE org_id = :org_id AND record_key IN :record_keys;

-- name: purge_matches
DELETE FROM run_match WHERE org_id = :org_id AND (record_key IN :record_keys OR event_key IN :record_keys);

-- name: purge_splits
DELETE FROM event_split WHERE org_id = :org_id AND (first_key IN :record_keys OR second_key IN :record_keys);

-- name: purge_revisions
DELETE FROM revision WHERE org_id = :org_id AND (old_key IN :record_keys OR new_key IN :record_keys);

-- name: purge_records
DELETE FROM record WHERE org_id = :org_id AND record_key IN :record_keys;

-- name: drop_run_matches
DELETE FROM run_match WHERE org_id = :org_id AND run_id = :run_id;

-- name: purge_quarantine
DELETE FROM quarantine WHERE org_id = :org_id AND batch_id IN :batch_ids;

-- name: mark_purged
UPDATE run SET purged_at_us = :at_us, summary = :summary WHERE org_id = :org_id AND run_id = :run_id;

-- name: tombs
SELECT tomb_key FROM tombstone WHERE org_id = :org_id AND kind = :kind;

-- name: add_coarse_count
UPDATE coarse_count SET records = records + :records WHERE org_id = :org_id AND kind = :kind AND month = :month AND cell = :cell;

-- name: coarse_counts
SELECT kind, month, cell, records FROM coarse_count WHERE org_id = :org_id ORDER BY kind, month, cell;

-- name: recalls
SELECT disclosure_id, recalled_at_us, reason, actor FROM recall WHERE org_id = :org_id ORDER BY recalled_at_us, disclosure_id;
