"""The key of a person is wrapped anew, bound to their name as well as to their pseudonym."""

from uuid import UUID

from django.db import migrations

_TRIGGER = "audit_subject_only_erase"


def bind(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT ref, name, key_wrapped FROM audit_subject WHERE name IS NOT NULL")
        rows = cursor.fetchall()
        if not rows:
            return
        put_back = _switched_off(schema_editor.connection, cursor)
        for ref, name, wrapped in rows:
            cursor.execute(
                "UPDATE audit_subject SET key_wrapped = %s WHERE ref = %s",
                [_bound(UUID(str(ref)), name, bytes(wrapped)), ref],
            )
        cursor.execute(put_back)


def _bound(ref, name, wrapped):
    from audit.domain.subject import Subject, _decrypt
    from core import container

    keys = container.get_settings().audit_keys
    length = wrapped[0]
    wrapping = keys.mac(wrapped[1 : 1 + length].decode(), b"audit.wrap")
    key = _decrypt(wrapping, wrapped[1 + length :], ref.bytes)
    # A key that does not open is left as it is: it opened for nobody before.
    return Subject(ref, key).wrapped(name, keys) if key else wrapped


def _switched_off(connection, cursor):
    """The trigger, which lets nothing but an erasure pass; how to put it back."""
    if connection.vendor == "postgresql":
        cursor.execute(f"ALTER TABLE audit_subject DISABLE TRIGGER {_TRIGGER}")
        return f"ALTER TABLE audit_subject ENABLE ALWAYS TRIGGER {_TRIGGER}"
    cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [_TRIGGER])
    made = cursor.fetchone()[0]
    cursor.execute(f"DROP TRIGGER {_TRIGGER}")
    return made


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_vacuum_erased_keys")]
    operations = [migrations.RunPython(bind, migrations.RunPython.noop)]
