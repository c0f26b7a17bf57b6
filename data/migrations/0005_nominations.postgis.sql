-- Nominations that are here already get the usual date: 90 days from being made.
UPDATE nomination SET review_by =
    to_char(to_timestamp(made_at_us / 1000000) AT TIME ZONE 'UTC' + INTERVAL '90 days', 'YYYY-MM-DD');
-- The history of a place goes with the place, and only after the log says so, which nobody can take back.
CREATE FUNCTION decision_erased() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
IF NOT EXISTS (SELECT 1 FROM audit_event WHERE org_id = OLD.org_id AND verb = 'erasure' AND subject = 'place:' || OLD.place_id) THEN
    RAISE EXCEPTION 'decision is append-only';
END IF;
RETURN OLD; END $$;
DROP TRIGGER decision_append_only ON decision;
CREATE TRIGGER decision_no_update BEFORE UPDATE ON decision FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER decision_no_delete BEFORE DELETE ON decision FOR EACH ROW EXECUTE FUNCTION decision_erased();
