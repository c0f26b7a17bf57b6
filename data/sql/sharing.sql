-- name: sharings
SELECT seq, run_id, run_made_at_us, purpose, actor, shared_at_us, live FROM sharing WHERE org_id = :org_id ORDER BY seq;

-- name: live_sharing
SELECT seq, run_id, run_made_at_us, purpose, actor, shared_at_us, live FROM sharing WHERE org_id = :org_id AND live = 1;

-- name: end_sharing
UPDATE sharing SET live = 0 WHERE org_id = :org_id AND live = 1;

-- name: end_sharing_of_run
UPDATE sharing SET live = 0 WHERE org_id = :org_id AND run_id = :run_id AND live = 1;
