-- A key is destroyed together with an event of its own, as a protected row is changed.
CREATE CONSTRAINT TRIGGER audit_subject_needs_event AFTER UPDATE ON audit_subject
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_require_event();
ALTER TABLE audit_subject ENABLE ALWAYS TRIGGER audit_subject_needs_event;
