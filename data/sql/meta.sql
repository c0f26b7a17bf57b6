-- name: migrations
SELECT number, checksum FROM lapwing_migration ORDER BY number;

-- name: store_setting
SELECT value FROM store_setting WHERE name = :name;

-- name: column_types
SELECT column_name, udt_name FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name = :table_name;

-- name: set_store_setting
UPDATE store_setting SET value = :value WHERE name = :name;
