-- name: mappings
SELECT name, version, text, saved_at_us, saved_by FROM mapping WHERE org_id = :org_id ORDER BY name, version;

-- name: supplied_versions
SELECT r.supply_key, r.record_key FROM record AS r
JOIN batch_record AS m ON m.org_id = r.org_id AND m.record_key = r.record_key
JOIN batch AS b ON b.batch_id = m.batch_id
WHERE r.org_id = :org_id AND b.mapping = :mapping AND r.supply_key IS NOT NULL
ORDER BY b.seq;

-- name: current_versions
SELECT supply_key, record_key FROM record
WHERE org_id = :org_id AND superseded = 0 AND supply_key IN :identities ORDER BY record_key;

-- name: identities_of_batch
SELECT identity FROM revision WHERE org_id = :org_id AND batch_id = :batch_id
UNION
SELECT COALESCE(r.supply_key, r.record_key) AS identity FROM batch_record AS m
JOIN record AS r ON r.org_id = m.org_id AND r.record_key = m.record_key
WHERE m.org_id = :org_id AND m.batch_id = :batch_id AND (
    EXISTS (SELECT 1 FROM record AS o WHERE o.org_id = r.org_id AND o.supply_key = COALESCE(r.supply_key, r.record_key)
            AND o.record_key <> r.record_key)
    OR EXISTS (SELECT 1 FROM record AS o WHERE o.org_id = r.org_id AND o.record_key = r.supply_key AND o.record_key <> r.record_key));

-- name: revisions_of_batch
SELECT identity, old_key, new_key, changes FROM revision WHERE org_id = :org_id AND batch_id = :batch_id ORDER BY identity;

-- name: versions_of
SELECT record_key FROM record WHERE org_id = :org_id AND supply_key IN :identities
UNION
SELECT record_key FROM record WHERE org_id = :org_id AND record_key IN :identities;

-- name: versions_told
SELECT COALESCE(r.supply_key, r.record_key) AS identity, r.record_key,
       CASE WHEN v.batch_id IS NOT NULL THEN 1 ELSE 0 END AS revised,
       CASE WHEN v.batch_id IS NOT NULL AND b.mapping = '' THEN 1 ELSE 0 END AS by_hand
FROM batch_record AS m
JOIN record AS r ON r.org_id = m.org_id AND r.record_key = m.record_key
JOIN batch AS b ON b.batch_id = m.batch_id
LEFT JOIN revision AS v ON v.batch_id = m.batch_id AND v.identity = COALESCE(r.supply_key, r.record_key) AND v.new_key = r.record_key
WHERE m.org_id = :org_id AND m.record_key IN :record_keys
ORDER BY b.seq, r.record_key;

-- name: settle_versions
UPDATE record SET superseded = CASE WHEN record_key IN :counting THEN 0 ELSE 1 END
WHERE org_id = :org_id AND record_key IN :record_keys;

-- name: places_of_records
SELECT p.place_id, p.name, p.kind FROM run_place_record AS m
JOIN run_place AS p ON p.org_id = m.org_id AND p.run_id = m.run_id AND p.place_id = m.place_id
JOIN run AS r ON r.org_id = m.org_id AND r.run_id = m.run_id
WHERE m.org_id = :org_id AND m.record_key IN :record_keys
ORDER BY r.generated_at_us, r.run_id;

-- name: splits
SELECT first_key, second_key FROM event_split WHERE org_id = :org_id ORDER BY first_key, second_key;

-- name: drop_split
DELETE FROM event_split WHERE org_id = :org_id AND first_key = :first_key AND second_key = :second_key;

-- name: stack_rulings
SELECT stack_id, stack_class, reason, actor, ruled_at_us FROM stack_ruling WHERE org_id = :org_id ORDER BY stack_id;

-- name: drop_stack_ruling
DELETE FROM stack_ruling WHERE org_id = :org_id AND stack_id = :stack_id;
