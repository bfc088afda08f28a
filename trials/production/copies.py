"""docs/how-to/backup-and-restore.md."""

import json
import shutil
from pathlib import Path

from trials.places import PostgresPlace, shared_place
from trials.production.clients import HOME, begin_session
from trials.production.clusters import APPLICATION, Cluster
from trials.production.house import DATABASE, House, expect

_RESTORED = "dashtam_restored"


def back_up(house: House) -> str:
    """The folder first: its checkpoint must not be newer than the database beside it."""
    house.kept["session"] = begin_session(house)
    shutil.copytree(house.audit, _folder(house))
    house.give(_folder(house))
    house.cluster.dump(DATABASE, _dump(house))
    return "backup: AUDIT_FOLDER, then pg_dump"


def restore_here(house: House) -> str:
    """What came after the backup is lost, and the checkpoint in AUDIT_FOLDER knows of it."""
    token = house.kept["session"]["access_token"]
    house.client(HOME).ask("DELETE", "/api/v1/sessions/current", token=token)
    house.stop_worker()
    house.manage("audit_seal")
    house.cluster.restore(_dump(house), _RESTORED)
    restored = _variables(house.cluster)
    refused = house.manage("audit_seal", exits=1, given=restored)
    expect("older than the checkpoint" in refused, refused)
    (house.audit / "checkpoint").rename(house.audit / "checkpoint.before-restore")
    house.manage("audit_reconcile", "--trust-database", given=restored)
    house.manage("check", "--database", "default", "--fail-level", "WARNING", given=restored)
    _end_all_sessions(house, restored)
    return "restore into the same cluster: the seal refuses, audit_reconcile, audit_verify: 0"


def restore_elsewhere(house: House) -> str:
    with shared_place() as (place, _):
        assert isinstance(place, PostgresPlace)
        cluster = Cluster.made_in(place.server_url)
        cluster.restore(_dump(house), _RESTORED)
        restored = _variables(cluster) | {"AUDIT_FOLDER": str(_folder(house))}
        owner = cluster.owner(_RESTORED)
        house.manage("audit_reconcile", "--new-cluster", given=restored | owner)
        _end_all_sessions(house, restored)
    return "restore into another cluster: audit_reconcile --new-cluster, audit_verify: 0"


def _end_all_sessions(house: House, restored: dict[str, str]) -> None:
    """Whoever signed out after the backup is signed in again in it."""
    reason = ("--reason", "restored from a backup")
    ended = house.manage("rotate_tokens", "--global", *reason, "--yes", "--json", given=restored)
    expect(json.loads(ended)["sessions"] >= 1, f"rotate_tokens: {ended}")
    house.manage("audit_seal", given=restored)
    house.manage("audit_verify", given=restored)


def _variables(cluster: Cluster) -> dict[str, str]:
    return {"DATABASE_URL": cluster.url(_RESTORED, APPLICATION)}


def _folder(house: House) -> Path:
    return house.folder / "data" / "audit-backup"


def _dump(house: House) -> Path:
    return house.folder / "dashtam.dump"
