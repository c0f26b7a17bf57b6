-- {srid} is the store's metric CRS, fixed at the first migration. Never ST_Transform to 27700: it lacks OSTN15.
CREATE EXTENSION IF NOT EXISTS postgis;
ALTER TABLE record ADD COLUMN geom geometry(Point, {srid})
    GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(x_m, y_m), {srid})) STORED;
CREATE INDEX record_by_geom ON record USING gist (geom);
CREATE FUNCTION audit_event_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_event_append_only();
