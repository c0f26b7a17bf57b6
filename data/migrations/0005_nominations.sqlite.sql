-- Nominations that are here already get the usual date: 90 days from being made.
UPDATE nomination SET review_by = date(made_at_us / 1000000, 'unixepoch', '+90 days');
-- The history of a place goes with the place, and only after the log says so, which nobody can take back.
DROP TRIGGER decision_no_delete;
CREATE TRIGGER decision_no_delete BEFORE DELETE ON decision
WHEN NOT EXISTS (SELECT 1 FROM audit_event WHERE org_id = OLD.org_id AND verb = 'erasure' AND subject = 'place:' || OLD.place_id)
BEGIN SELECT RAISE(ABORT, 'the history of decisions is append-only'); END;
