"""Where an address is, by a database in the MaxMind format (GeoLite2 City, DB-IP City Lite)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import maxminddb

from core import container

_LONGEST: Final = 128


class Nowhere:
    def describe(self, ip_address: str | None) -> str | None:
        return None


@dataclass(frozen=True)
class GeoPlaces:
    """A sign-in does not fail for it: what cannot be found out is None."""

    file: str

    def describe(self, ip_address: str | None) -> str | None:
        """'Uppsala, Sweden'"""
        reader = _opened(self.file)
        if reader is None or ip_address is None:
            return None
        try:
            found: Any = reader.get(ip_address)
        except (ValueError, maxminddb.InvalidDatabaseError) as error:
            container.get_logger().warning("place_not_found", error=type(error).__name__)
            return None
        names = [_name(found, "city"), _name(found, "country")]
        return ", ".join(name for name in names if name)[:_LONGEST] or None


def _name(found: Any, part: str) -> str | None:
    try:
        name = found[part]["names"]["en"]
    except (KeyError, TypeError):
        return None
    return name if isinstance(name, str) else None


@lru_cache(maxsize=1)
def _opened(file: str) -> maxminddb.Reader | None:
    """Once per process: a newer file is read after a restart."""
    try:
        return maxminddb.open_database(file)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        container.get_logger().warning("places_not_opened", file=file, error=type(error).__name__)
        return None
