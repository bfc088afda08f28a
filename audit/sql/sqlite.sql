-- The trail on SQLite: one writer at a time, so that `seq` is the order of the commits.
CREATE TABLE audit_event (
    seq integer PRIMARY KEY AUTOINCREMENT CHECK (seq > 0),
    id char(32) NOT NULL UNIQUE CHECK (length(id) = 32 AND id NOT GLOB '*[^0-9a-f]*'),
    recorded_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    phase smallint NOT NULL CHECK (phase IN (1, 2, 3, 4, 5)),
    action varchar(64) NOT NULL,
    actor_ref char(32),
    subject_ref char(32),
    resource_type varchar(32),
    resource_id char(32),
    correlation char(32) NOT NULL,
    ip_bi blob CHECK (length(ip_bi) = 8),
    entry blob NOT NULL CHECK (length(entry) <= 60000),
    mac blob NOT NULL CHECK (length(mac) = 32),
    CONSTRAINT audit_event_id_tells_phase CHECK (
        (instr('0123456789abcdef', substr(id, 32, 1)) - 1) & 3
            = CASE phase WHEN 1 THEN 0 WHEN 5 THEN 2 ELSE 1 END
    )
);
CREATE INDEX audit_event_subject ON audit_event (subject_ref, id);
CREATE INDEX audit_event_actor ON audit_event (actor_ref, id);
CREATE INDEX audit_event_resource ON audit_event (resource_type, resource_id, id);
CREATE INDEX audit_event_action ON audit_event (action, id);
CREATE INDEX audit_event_correlation ON audit_event (correlation, id);
CREATE INDEX audit_event_ip ON audit_event (ip_bi, id) WHERE ip_bi IS NOT NULL;
CREATE INDEX audit_event_attempts ON audit_event (id) WHERE phase = 1;

CREATE TABLE audit_tile (
    kind smallint NOT NULL CHECK (kind IN (0, 1)),
    level smallint NOT NULL,
    idx bigint NOT NULL,
    data blob NOT NULL,
    PRIMARY KEY (kind, level, idx)
);
CREATE TABLE audit_frontier (
    id smallint PRIMARY KEY CHECK (id = 1),
    size bigint NOT NULL,
    partials blob NOT NULL,
    partial_ids blob NOT NULL,
    cursor_epoch smallint NOT NULL,
    cursor_xid bigint NOT NULL,
    cursor_seq bigint NOT NULL
);
INSERT INTO audit_frontier VALUES (1, 0, x'', x'', 0, 0, 0);
CREATE TABLE audit_checkpoint (
    size integer PRIMARY KEY,
    root blob NOT NULL,
    note text NOT NULL,
    first_id char(32) NOT NULL,
    last_id char(32) NOT NULL,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
);
CREATE TABLE audit_anchor (
    id integer PRIMARY KEY AUTOINCREMENT,
    checkpoint_size bigint NOT NULL,
    sink varchar(200) NOT NULL,
    receipt text NOT NULL,
    at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
);
CREATE TABLE audit_subject (
    ref char(32) NOT NULL PRIMARY KEY,
    name varchar(64) UNIQUE,
    key_wrapped blob,
    created_at datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    erased_at datetime,
    CONSTRAINT audit_subject_erased_whole CHECK (
        (erased_at IS NULL) = (name IS NOT NULL) AND (name IS NULL) = (key_wrapped IS NULL)
    )
);

CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: UPDATE refused'); END;
CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: DELETE refused'); END;
-- INSERT OR REPLACE fires no DELETE trigger unless recursive_triggers is on.
CREATE TRIGGER audit_event_no_replace BEFORE INSERT ON audit_event
WHEN EXISTS (SELECT 1 FROM audit_event WHERE id = NEW.id OR seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: this id is taken'); END;
-- NEW.seq is -1 where SQLite chooses it.
CREATE TRIGGER audit_event_in_order BEFORE INSERT ON audit_event
WHEN NEW.seq > 0
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: nobody chooses the order'); END;
CREATE TRIGGER audit_event_in_time BEFORE INSERT ON audit_event
WHEN NEW.phase IN (1, 5) AND substr(NEW.id, 1, 12) NOT BETWEEN
    printf('%012x', (julianday('now') - 2440588.5) * 86400000)
    AND printf('%012x', (julianday('now') - 2440587.5) * 86400000 + 3600000)
BEGIN SELECT RAISE(ABORT, 'the audit trail takes no id that is not of today: look at the clock'); END;

CREATE TRIGGER audit_tile_no_update BEFORE UPDATE ON audit_tile
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: UPDATE refused'); END;
CREATE TRIGGER audit_tile_no_delete BEFORE DELETE ON audit_tile
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: DELETE refused'); END;
CREATE TRIGGER audit_tile_no_replace BEFORE INSERT ON audit_tile
WHEN EXISTS (SELECT 1 FROM audit_tile
    WHERE (kind = NEW.kind AND level = NEW.level AND idx = NEW.idx) OR rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: this tile is there'); END;
CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: UPDATE refused'); END;
CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: DELETE refused'); END;
CREATE TRIGGER audit_checkpoint_no_replace BEFORE INSERT ON audit_checkpoint
WHEN EXISTS (SELECT 1 FROM audit_checkpoint WHERE size = NEW.size)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: this checkpoint is there'); END;
CREATE TRIGGER audit_anchor_no_update BEFORE UPDATE ON audit_anchor
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: UPDATE refused'); END;
CREATE TRIGGER audit_anchor_no_delete BEFORE DELETE ON audit_anchor
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: DELETE refused'); END;
CREATE TRIGGER audit_anchor_no_replace BEFORE INSERT ON audit_anchor
WHEN EXISTS (SELECT 1 FROM audit_anchor WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: this anchor is there'); END;
CREATE TRIGGER audit_frontier_no_delete BEFORE DELETE ON audit_frontier
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: DELETE refused'); END;
CREATE TRIGGER audit_subject_no_delete BEFORE DELETE ON audit_subject
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: DELETE refused'); END;
-- Erasing is the one change, whole and once.
CREATE TRIGGER audit_subject_only_erase BEFORE UPDATE ON audit_subject
WHEN OLD.erased_at IS NOT NULL OR NEW.erased_at IS NULL OR NEW.ref <> OLD.ref
    OR NEW.created_at <> OLD.created_at OR NEW.rowid <> OLD.rowid
BEGIN SELECT RAISE(ABORT, 'a subject of the audit trail can only be erased, once'); END;
CREATE TRIGGER audit_subject_no_replace BEFORE INSERT ON audit_subject
WHEN EXISTS (SELECT 1 FROM audit_subject
    WHERE ref = NEW.ref OR rowid = NEW.rowid OR name = NEW.name)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only: this subject is there'); END;
