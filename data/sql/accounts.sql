-- name: accounts
SELECT account_id, org_id, name, role, passphrase_hash, created_at_us, disabled_at_us
FROM account WHERE org_id = :org_id ORDER BY name;

-- name: account_by_name
SELECT account_id, org_id, name, role, passphrase_hash, created_at_us, disabled_at_us FROM account WHERE name = :name;

-- name: account_by_id
SELECT account_id, org_id, name, role, passphrase_hash, created_at_us, disabled_at_us
FROM account WHERE account_id = :account_id;

-- name: set_passphrase
UPDATE account SET passphrase_hash = :passphrase_hash WHERE account_id = :account_id;

-- name: disable_account
UPDATE account SET disabled_at_us = :at_us WHERE account_id = :account_id AND disabled_at_us IS NULL;

-- name: revoke_other_sessions
UPDATE web_session SET revoked_at_us = :at_us
WHERE account_id = :account_id AND token_hash <> :token_hash AND revoked_at_us IS NULL;

-- name: revoke_sessions
UPDATE web_session SET revoked_at_us = :at_us WHERE account_id = :account_id AND revoked_at_us IS NULL;

-- name: sign_in_link
SELECT account_id, expires_at_us, used_at_us FROM sign_in_link WHERE token_hash = :token_hash;

-- name: spend_links
UPDATE sign_in_link SET used_at_us = :at_us WHERE account_id = :account_id AND used_at_us IS NULL;

-- name: use_sign_in_link
UPDATE sign_in_link SET used_at_us = :at_us
WHERE token_hash = :token_hash AND used_at_us IS NULL AND expires_at_us > :at_us;

-- name: session
SELECT s.token_hash, s.account_id, s.seen_at_us, s.expires_at_us, a.org_id, a.name, a.role, a.passphrase_hash
FROM web_session AS s JOIN account AS a ON a.account_id = s.account_id
WHERE s.token_hash = :token_hash AND s.revoked_at_us IS NULL AND s.expires_at_us > :at_us
AND s.seen_at_us > :idle_since_us AND a.disabled_at_us IS NULL;

-- name: touch_session
UPDATE web_session SET seen_at_us = :at_us WHERE token_hash = :token_hash;

-- name: revoke_session
UPDATE web_session SET revoked_at_us = :at_us WHERE token_hash = :token_hash AND revoked_at_us IS NULL;

-- name: recent_attempts
SELECT COUNT(*) AS n FROM sign_in_attempt WHERE name = :name AND at_us > :since_us;

-- name: forget_attempts
DELETE FROM sign_in_attempt WHERE name = :name OR at_us < :before_us;
