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

-- name: identities_revised_by
SELECT identity FROM revision WHERE org_id = :org_id AND batch_id = :batch_id;

-- name: revisions_of_batch
SELECT identity, old_key, new_key, changes FROM revision WHERE org_id = :org_id AND batch_id = :batch_id ORDER BY identity;

-- name: settle_versions
UPDATE record SET superseded = CASE WHEN record_key = COALESCE((
    SELECT v.new_key FROM revision AS v JOIN batch AS b ON b.batch_id = v.batch_id
    WHERE v.org_id = record.org_id AND v.identity = COALESCE(record.supply_key, record.record_key) AND v.new_key IS NOT NULL
    ORDER BY b.seq DESC LIMIT 1), record_key) THEN 0 ELSE 1 END
WHERE org_id = :org_id AND (supply_key IN :identities OR record_key IN :identities);

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
