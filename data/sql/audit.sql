-- name: last_audit_event
SELECT seq, hash FROM audit_event ORDER BY seq DESC LIMIT 1;

-- name: audit_events
SELECT seq, at_us, org_id, actor, verb, subject, detail, previous_hash, hash FROM audit_event
WHERE org_id = :org_id ORDER BY seq;

-- name: audit_chain
SELECT seq, at_us, org_id, actor, verb, subject, detail, previous_hash, hash FROM audit_event ORDER BY seq;

-- name: recent_consultation
SELECT COUNT(*) AS n FROM audit_event
WHERE org_id = :org_id AND actor = :actor AND verb = :verb AND subject = :subject AND at_us >= :since_us;

-- name: disclosures
SELECT disclosure_id, run_id, layer, profile, format, purpose, actor, disclosed_at_us, file_name, sha256, features, suppressed
FROM disclosure WHERE org_id = :org_id ORDER BY disclosed_at_us, disclosure_id;
