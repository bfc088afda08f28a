"""An installation as docs/how-to says it is made, from the image's files to a restored backup:
PostgreSQL with two roles, Valkey, three web processes behind a proxy, and a worker.

    python -m trials.production

It starts everything itself, on free ports of 127.0.0.1, and leaves nothing behind. A line a step;
exit code 0: all of them held, 1: one did not, and why, 3: the trial itself failed."""

import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from trials.places import NoPlaceError, PostgresPlace, shared_place
from trials.production.clusters import Cluster
from trials.production.house import Broken
from trials.production.preparing import prepare
from trials.production.steps import STEPS

_FAILED = 3


def main() -> int:
    # Roles belong to a whole cluster: on a server that was given they would stay.
    for name in ("TEST_DATABASE_URL", "TEST_REDIS_URL"):
        os.environ.pop(name, None)
    # As after Ctrl-C, nothing may stay behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_FAILED))
    try:
        _run()
    except Broken as broken:
        _say(f"NOT  {broken}")
        return 1
    except NoPlaceError as missing:
        _say(str(missing))
    except Exception:  # noqa: BLE001  its exit code must not be that of a finding
        _say(traceback.format_exc())
    else:
        return 0
    return _FAILED


def _run() -> None:
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="dashtam-production-") as name,
        shared_place() as (place, redis_url),
    ):
        assert isinstance(place, PostgresPlace)
        house = prepare(Path(name), Cluster.made_in(place.server_url), redis_url)
        try:
            for step in STEPS:
                _say(f"ok   {step(house)}")
        finally:
            house.stop()
    _say(f"All is well, after {time.monotonic() - began:.0f} s.")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
