-- name: known_places
SELECT place_id, first_run, last_run, footprint FROM place WHERE org_id = :org_id ORDER BY place_id;

-- name: known_place
SELECT place_id, first_run, last_run, footprint FROM place WHERE org_id = :org_id AND place_id = :place_id;

-- name: touch_place
UPDATE place SET last_run = :last_run, footprint = :footprint,
    first_run = CASE first_run WHEN '' THEN :last_run ELSE first_run END
WHERE org_id = :org_id AND place_id = :place_id;

-- name: decisions
SELECT decision_id, place_id, run_id, verdict, reason, actor, decided_at_us, detail FROM decision
WHERE org_id = :org_id ORDER BY seq;

-- name: last_decision
SELECT COALESCE(MAX(seq), 0) AS seq FROM decision;

-- name: nominations
SELECT place_id, kind, name, geometry, source, reason, actor, made_at_us, review_by FROM nomination
WHERE org_id = :org_id ORDER BY made_at_us, place_id;

-- name: purge_nominations
DELETE FROM nomination WHERE org_id = :org_id AND place_id IN :place_ids;

-- name: purge_decisions
DELETE FROM decision WHERE org_id = :org_id AND place_id IN :place_ids;

-- name: purge_places
DELETE FROM place WHERE org_id = :org_id AND place_id IN :place_ids;
