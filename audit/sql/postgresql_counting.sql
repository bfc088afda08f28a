-- Counting outcomes, and from which addresses, reads this index and no row.
DROP INDEX audit_event_action;
CREATE INDEX audit_event_action ON audit_event (action, id) INCLUDE (phase, ip_bi);
