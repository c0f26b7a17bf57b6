-- name: proofs
SELECT proof_id, kind, run_id, question, result, made_at_us, made_by FROM proof
WHERE org_id = :org_id ORDER BY made_at_us DESC, proof_id;

-- name: proof
SELECT proof_id, kind, run_id, question, result, made_at_us, made_by FROM proof
WHERE org_id = :org_id AND proof_id = :proof_id;
