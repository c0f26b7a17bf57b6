-- name: run_view
SELECT body FROM run_view WHERE org_id = :org_id AND run_id = :run_id AND name = :name;

-- name: run_view_names
SELECT name FROM run_view WHERE org_id = :org_id AND run_id = :run_id ORDER BY name;

-- name: drop_run_views
DELETE FROM run_view WHERE org_id = :org_id AND run_id = :run_id;

-- name: saved_views
SELECT view_id, name, query, actor, made_at_us FROM saved_view WHERE org_id = :org_id ORDER BY name, view_id;

-- name: drop_saved_view
DELETE FROM saved_view WHERE org_id = :org_id AND view_id = :view_id;
