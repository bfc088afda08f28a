"""What an operator does and a client sees, in the order of docs/how-to."""

from collections.abc import Callable, Sequence
from typing import Final

from trials.production import clients, copies, rotation
from trials.production.house import DATABASE, House, expect
from trials.production.preparing import listed, make_read_only

Step = Callable[[House], str]


def collect(house: House) -> str:
    """When the image is built; nothing is written to the tree after it."""
    house.manage("collectstatic", "--noinput", given={"AUDIT_FOLDER": ""})
    make_read_only(house.tree)
    house.kept["tree"] = listed(house.tree)
    return "collectstatic; from here on the files are read-only"


def migrate(house: House) -> str:
    house.manage("migrate", "--noinput", given=house.cluster.owner(DATABASE))
    return "migrate, as the owner of the tables"


def check(house: House) -> str:
    said = house.manage("check", "--deploy", "--database", "default", "--fail-level", "WARNING")
    return f"check --deploy: {said}"


def create_admin(house: House) -> str:
    said = house.manage(
        "create_admin", "--email", "admin@example.com", typed="correct horse battery staple"
    )
    expect("Admin made" in said, said)
    return "create_admin"


def start(house: House) -> str:
    house.start()
    ready = house.client("127.0.0.2").ask("GET", "/health/ready")
    expect(ready.status == 200, ready.text)
    told = ready.document["status"]
    return f"three web processes, a worker and a proxy: /health/ready says {told}"


def doctor(house: House) -> str:
    said = house.manage("doctor")
    expect("1 is current" in said, said)
    return "doctor: exit code 0"


def wrote_nothing(house: House) -> str:
    changed = dict(listed(house.tree).items() ^ house.kept["tree"].items())
    expect(not changed, f"Written to the tree: {', '.join(sorted(changed))}")
    who = "an ordinary user" if house.run_as else "whoever runs this"
    return f"nothing was written beside the volumes; the processes ran as {who}"


def stop(house: House) -> str:
    house.stop()
    codes = {process.returncode for process in house.web}
    expect(codes == {0}, f"Told to stop, web processes ended with {codes}")
    return "everything is stopped"


STEPS: Final[Sequence[Step]] = (
    collect,
    migrate,
    check,
    create_admin,
    start,
    clients.register,
    clients.sign_in,
    clients.sign_out,
    clients.share_limits,
    clients.forged_address,
    clients.metrics,
    doctor,
    rotation.token_keys,
    rotation.signing_key,
    copies.back_up,
    copies.restore_here,
    copies.restore_elsewhere,
    wrote_nothing,
    stop,
)
