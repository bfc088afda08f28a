-- The trail on PostgreSQL. Rows are appended and never changed; `epoch`, `xid` and `seq` say in
-- which order they were committed, and are bookkeeping: the evidence is `entry`, byte for byte.

-- Transaction ids start anew in another cluster: after a dump was restored there, the rows that it
-- brought belong to an older epoch. See `manage.py audit_reconcile`.
CREATE TABLE audit_cluster (
    epoch smallint PRIMARY KEY,
    system_identifier bigint NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO audit_cluster (epoch, system_identifier)
    SELECT 1, system_identifier FROM pg_control_system();

CREATE SEQUENCE audit_event_seq;
CREATE TABLE audit_event (
    id uuid PRIMARY KEY,
    epoch smallint NOT NULL DEFAULT 1,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    seq bigint NOT NULL DEFAULT nextval('audit_event_seq'),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    phase smallint NOT NULL CHECK (phase IN (1, 2, 3, 4, 5)),
    action varchar(64) NOT NULL,
    actor_ref uuid,
    subject_ref uuid,
    resource_type varchar(32),
    resource_id uuid,
    correlation uuid NOT NULL,
    ip_bi bytea CHECK (octet_length(ip_bi) = 8),
    entry bytea NOT NULL CHECK (octet_length(entry) <= 60000),
    mac bytea NOT NULL CHECK (octet_length(mac) = 32),
    CONSTRAINT audit_event_id_tells_phase CHECK (
        get_byte(uuid_send(id), 15) & 3 = CASE phase WHEN 1 THEN 0 WHEN 5 THEN 2 ELSE 1 END
    )
) PARTITION BY RANGE (id);
CREATE INDEX audit_event_order ON audit_event (epoch, xid, seq);
CREATE INDEX audit_event_subject ON audit_event (subject_ref, id);
CREATE INDEX audit_event_actor ON audit_event (actor_ref, id);
CREATE INDEX audit_event_resource ON audit_event (resource_type, resource_id, id);
CREATE INDEX audit_event_action ON audit_event (action, id);
CREATE INDEX audit_event_correlation ON audit_event (correlation, id);
CREATE INDEX audit_event_ip ON audit_event (ip_bi, id) WHERE ip_bi IS NOT NULL;
CREATE INDEX audit_event_attempts ON audit_event (id) WHERE phase = 1;

-- kind 0: the 256 hashes of a tile (C2SP tlog-tiles); kind 1: the ids of a tile of leaves.
CREATE TABLE audit_tile (
    kind smallint NOT NULL CHECK (kind IN (0, 1)),
    level smallint NOT NULL,
    idx bigint NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (kind, level, idx)
);
-- The tree's right edge and how far it was built; one row, which can be computed anew.
CREATE TABLE audit_frontier (
    id smallint PRIMARY KEY CHECK (id = 1),
    size bigint NOT NULL,
    partials bytea NOT NULL,
    partial_ids bytea NOT NULL,
    cursor_epoch smallint NOT NULL,
    cursor_xid bigint NOT NULL,
    cursor_seq bigint NOT NULL
);
INSERT INTO audit_frontier VALUES (1, 0, '', '', 0, 0, 0);
CREATE TABLE audit_checkpoint (
    size bigint PRIMARY KEY,
    root bytea NOT NULL,
    note text NOT NULL,
    first_id uuid NOT NULL,
    last_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE audit_anchor (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    checkpoint_size bigint NOT NULL,
    sink varchar(200) NOT NULL,
    receipt text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Whom a pseudonym on the trail stands for, and the key of what is personal there. `name` is
-- 'user:<id>', 'day:<date>' for people who are not known, 'ip:<month>' for the index of addresses.
CREATE TABLE audit_subject (
    ref uuid PRIMARY KEY,
    name varchar(64) UNIQUE,
    key_wrapped bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    erased_at timestamptz,
    CONSTRAINT audit_subject_erased_whole CHECK (
        (erased_at IS NULL) = (name IS NOT NULL) AND (name IS NULL) = (key_wrapped IS NULL)
    )
);

CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only: % refused', TG_OP;
END $$;

-- The smallest UUIDv7 of a millisecond.
CREATE FUNCTION audit_id_at(moment timestamptz) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- What the writer cannot choose. Not ENABLE ALWAYS: a replica keeps what the origin wrote.
CREATE FUNCTION audit_accept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.phase IN (1, 5) AND NEW.id NOT BETWEEN audit_id_at(clock_timestamp() - interval '1 day')
        AND audit_id_at(clock_timestamp() + interval '1 hour')
    THEN
        RAISE EXCEPTION 'the audit trail takes no id that is not of today: look at the clocks';
    END IF;
    NEW.xid := pg_current_xact_id();
    NEW.recorded_at := clock_timestamp();
    RETURN NEW;
END $$;

-- Erasing is the one change, whole and once.
CREATE FUNCTION audit_only_erase() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.erased_at IS NOT NULL OR NEW.erased_at IS NULL OR NEW.ref <> OLD.ref
        OR NEW.created_at <> OLD.created_at
    THEN
        RAISE EXCEPTION 'a subject of the audit trail can only be erased, once';
    END IF;
    RETURN NEW;
END $$;

-- Writing an outcome or a fact leaves its id in `dashtam.event`, for this transaction alone.
-- By primary key: a search by xid would touch every partition.
CREATE FUNCTION audit_require_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM audit_event
        WHERE id = nullif(current_setting('dashtam.event', true), '')::uuid
            AND xid = pg_current_xact_id()
            AND epoch = (SELECT max(epoch) FROM audit_cluster)
            AND phase <> 1
    ) THEN
        RAISE EXCEPTION '% of % without an event of its own on the audit trail',
            TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER audit_event_accept BEFORE INSERT ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_accept();
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_event_append_only;
CREATE TRIGGER audit_subject_only_erase BEFORE UPDATE ON audit_subject
    FOR EACH ROW EXECUTE FUNCTION audit_only_erase();
ALTER TABLE audit_subject ENABLE ALWAYS TRIGGER audit_subject_only_erase;
CREATE TRIGGER audit_subject_append_only BEFORE DELETE ON audit_subject
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
ALTER TABLE audit_subject ENABLE ALWAYS TRIGGER audit_subject_append_only;
CREATE TRIGGER audit_frontier_append_only BEFORE DELETE ON audit_frontier
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
ALTER TABLE audit_frontier ENABLE ALWAYS TRIGGER audit_frontier_append_only;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['audit_tile', 'audit_checkpoint', 'audit_anchor', 'audit_cluster'] LOOP
        EXECUTE format(
            'CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION audit_refuse_change()',
            name || '_append_only', name
        );
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', name, name || '_append_only');
    END LOOP;
    FOREACH name IN ARRAY ARRAY[
        'audit_event', 'audit_tile', 'audit_checkpoint', 'audit_anchor', 'audit_cluster',
        'audit_subject', 'audit_frontier'
    ] LOOP
        EXECUTE format(
            'CREATE TRIGGER %I BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()',
            name || '_no_truncate', name
        );
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', name, name || '_no_truncate');
    END LOOP;
END $$;

-- The partition of the month of `moment`, with the triggers that are not cloned or not ALWAYS.
-- SECURITY DEFINER: the application makes them ahead, and owns no table. Attached and not created
-- in place, which would wait for every writer and let all others wait behind it.
CREATE FUNCTION audit_make_partition(moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    first timestamptz := date_trunc('month', moment, 'UTC');
    partition text := 'audit_event_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
    granted record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('audit_make_partition'));
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format(
        'CREATE TABLE %I (LIKE audit_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition
    );
    EXECUTE format(
        'ALTER TABLE audit_event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        partition, audit_id_at(first), audit_id_at((first AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC')
    );
    EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER audit_event_append_only', partition);
    EXECUTE format(
        'CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()',
        partition
    );
    EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER audit_event_no_truncate', partition);
    FOR granted IN
        SELECT grantee::regrole AS role FROM pg_class, aclexplode(relacl)
        WHERE oid = 'audit_event'::regclass AND privilege_type = 'SELECT'
            AND grantee NOT IN (0, relowner)
    LOOP
        EXECUTE format('GRANT SELECT ON %I TO %s', partition, granted.role);
    END LOOP;
    RETURN true;
END $$;
REVOKE EXECUTE ON FUNCTION audit_make_partition(timestamptz) FROM PUBLIC;

-- A temporary table or function of the same name would be looked at first, and be anybody's.
DO $$
DECLARE
    signature text;
BEGIN
    FOREACH signature IN ARRAY ARRAY[
        'audit_require_event()', 'audit_accept()', 'audit_make_partition(timestamptz)'
    ] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', signature, current_schema());
    END LOOP;
END $$;

-- Ids may be a day old, and the sweeper finishes what last month began.
SELECT audit_make_partition(clock_timestamp() + ahead * interval '1 month')
    FROM generate_series(-1, 3) AS ahead;
