-- name: run
SELECT run_id, parameters, input_hashes, code_version, seed, generated_at_us, created_by, summary, purged_at_us
FROM run WHERE org_id = :org_id AND run_id = :run_id;

-- name: runs
SELECT run_id, parameters, input_hashes, code_version, seed, generated_at_us, created_by, summary, purged_at_us
FROM run WHERE org_id = :org_id ORDER BY generated_at_us DESC, run_id;

-- name: run_cells
SELECT cell, records, days, months, month_only, snapped FROM run_cell
WHERE org_id = :org_id AND run_id = :run_id AND records >= :min_records ORDER BY cell;

-- name: run_cell_statistics
SELECT cell, share, observed, expected, rate_ratio, ratio_low, ratio_high, p_value, q_value, scan_p, scan_radius, hot, rate,
       density_km2, gi_star_z, gi_star_reliable, top_probability, trend, state
FROM run_cell WHERE org_id = :org_id AND run_id = :run_id AND share IS NOT NULL ORDER BY cell;

-- name: run_places
SELECT place_id, rank, cluster, kind, name, probability, basis, records, footprint, peak_cell, evidence, alternatives
FROM run_place WHERE org_id = :org_id AND run_id = :run_id AND rank <= :max_rank ORDER BY rank;

-- name: run_place
SELECT place_id, rank, cluster, kind, name, probability, basis, records, footprint, peak_cell, evidence, alternatives
FROM run_place WHERE org_id = :org_id AND run_id = :run_id AND place_id = :place_id;

-- name: run_place_kinds
SELECT kind, COUNT(*) AS n FROM run_place WHERE org_id = :org_id AND run_id = :run_id GROUP BY kind ORDER BY kind;

-- name: run_place_ids
SELECT place_id FROM run_place WHERE org_id = :org_id AND run_id = :run_id;

-- name: run_cell_statistic
SELECT cell, share, observed, expected, rate_ratio, ratio_low, ratio_high, p_value, q_value, scan_p, scan_radius, hot, rate,
       density_km2, gi_star_z, gi_star_reliable, top_probability, trend, state
FROM run_cell WHERE org_id = :org_id AND run_id = :run_id AND cell = :cell AND share IS NOT NULL;

-- name: place_runs
SELECT run_id FROM run_place WHERE org_id = :org_id AND place_id = :place_id;

-- name: place_records
SELECT r.record_key, r.kind, r.source, r.agency, r.urn, r.category, r.from_us, r.to_us, r.time_basis, r.location_basis, r.precision_m
FROM run_place_record AS m
JOIN record AS r ON r.org_id = m.org_id AND r.record_key = m.record_key
WHERE m.org_id = :org_id AND m.run_id = :run_id AND m.place_id = :place_id
ORDER BY r.from_us, r.record_key;

-- name: drop_run_records
DELETE FROM run_place_record WHERE org_id = :org_id AND run_id = :run_id;

-- name: drop_run_places
DELETE FROM run_place WHERE org_id = :org_id AND run_id = :run_id;

-- name: drop_run_cells
DELETE FROM run_cell WHERE org_id = :org_id AND run_id = :run_id;

-- name: drop_run
DELETE FROM run WHERE org_id = :org_id AND run_id = :run_id;

-- name: run_matches
SELECT m.record_key, m.event_key, m.reason, m.words FROM run_match AS m
WHERE m.org_id = :org_id AND m.run_id = :run_id ORDER BY m.event_key, m.record_key;

-- name: drop_run_facilities
DELETE FROM run_facility WHERE org_id = :org_id AND run_id = :run_id;

-- name: drop_run_routes
DELETE FROM run_route WHERE org_id = :org_id AND run_id = :run_id;

-- name: drop_run_links
DELETE FROM run_link WHERE org_id = :org_id AND run_id = :run_id;

-- name: run_facilities
SELECT feature_key, kind, name, records, weight, evidence FROM run_facility
WHERE org_id = :org_id AND run_id = :run_id ORDER BY kind, weight DESC, feature_key;

-- name: run_routes
SELECT route_id, rank, kind, name, vehicles, confidence, geometry, evidence FROM run_route
WHERE org_id = :org_id AND run_id = :run_id ORDER BY rank;

-- name: run_links
SELECT first_place, second_place, significant, evidence FROM run_link
WHERE org_id = :org_id AND run_id = :run_id ORDER BY first_place, second_place;
