-- A key is destroyed together with an event of its own, as a protected row is changed.
CREATE TRIGGER audit_subject_needs_event BEFORE UPDATE ON audit_subject
WHEN NOT dashtam_in_unit()
BEGIN SELECT RAISE(ABORT, 'a key is destroyed with an event of its own on the audit trail'); END;
