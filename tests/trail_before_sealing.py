"""The trail's table as it was before it could be proved, on both databases; what the migration sets
aside."""

POSTGRESQL = """
CREATE TABLE audit_event (
    id uuid PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    phase smallint NOT NULL CHECK (phase IN (1, 2, 3, 4, 5)),
    action varchar(64) NOT NULL,
    actor_ref uuid,
    subject_ref uuid,
    resource_type varchar(32),
    resource_id uuid,
    correlation uuid NOT NULL,
    entry bytea NOT NULL CHECK (octet_length(entry) <= 60000),
    CONSTRAINT audit_event_id_tells_phase CHECK (
        get_byte(uuid_send(id), 15) & 3 = CASE phase WHEN 1 THEN 0 WHEN 5 THEN 2 ELSE 1 END
    )
);
CREATE INDEX audit_event_subject ON audit_event (subject_ref, id);
CREATE INDEX audit_event_actor ON audit_event (actor_ref, id);
CREATE INDEX audit_event_resource ON audit_event (resource_type, resource_id, id);
CREATE INDEX audit_event_action ON audit_event (action, id);
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only: % refused', TG_OP;
END $$;
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
-- Writing an outcome or a fact leaves its id in `dashtam.event`, for this transaction alone.
-- By primary key: a search by xid would touch every partition of the table to come.
CREATE FUNCTION audit_require_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM audit_event
        WHERE id = nullif(current_setting('dashtam.event', true), '')::uuid
            AND xid = pg_current_xact_id()
            AND phase <> 1
    ) THEN
        RAISE EXCEPTION '% of % without an event of its own on the audit trail',
            TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
-- A temporary table of the same name would be looked at first, and be anybody's.
DO $$ BEGIN
    EXECUTE format(
        'ALTER FUNCTION audit_require_event() SET search_path = %I, pg_temp', current_schema()
    );
END $$;
ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_event_append_only;
ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_event_no_truncate;
"""
SQLITE = [
    """
    CREATE TABLE audit_event (
        id char(32) NOT NULL PRIMARY KEY,
        recorded_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
        phase smallint NOT NULL CHECK (phase IN (1, 2, 3, 4, 5)),
        action varchar(64) NOT NULL,
        actor_ref char(32),
        subject_ref char(32),
        resource_type varchar(32),
        resource_id char(32),
        correlation char(32) NOT NULL,
        entry blob NOT NULL CHECK (length(entry) <= 60000),
        CONSTRAINT audit_event_id_tells_phase CHECK (
            (instr('0123456789abcdef', substr(id, 32, 1)) - 1) & 3
                = CASE phase WHEN 1 THEN 0 WHEN 5 THEN 2 ELSE 1 END
        )
    )
    """,
    "CREATE INDEX audit_event_subject ON audit_event (subject_ref, id)",
    "CREATE INDEX audit_event_actor ON audit_event (actor_ref, id)",
    "CREATE INDEX audit_event_resource ON audit_event (resource_type, resource_id, id)",
    "CREATE INDEX audit_event_action ON audit_event (action, id)",
    """
    CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: UPDATE refused'); END
    """,
    """
    CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: DELETE refused'); END
    """,
    # INSERT OR REPLACE fires no DELETE trigger unless recursive_triggers is on.
    """
    CREATE TRIGGER audit_event_no_replace BEFORE INSERT ON audit_event
    WHEN EXISTS (SELECT 1 FROM audit_event WHERE id = NEW.id OR rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: this id is taken'); END
    """,
]

INSERT = (
    "INSERT INTO audit_event (id, phase, action, correlation, entry)"
    " VALUES (%s, 5, 'user.login', %s, '{\"v\":1}')"
)
