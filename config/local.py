"""The embedded default: SQLite, a local cache, mail printed to the console. For `make run`."""

import os
from urllib.parse import quote, unquote, urlsplit

from config import env

VAR = env.ROOT / "var"

env.read_dotenv()
if not (os.environ.get("DATABASE_URL") and os.environ.get("SECRET_KEY")):
    env.private_folder(VAR)
env.default(
    ENVIRONMENT="development",
    DATABASE_URL=f"sqlite:///{quote(str(VAR / 'dashtam.sqlite3'))}",
    PUBLIC_URL=f"http://127.0.0.1:{os.environ.get('PORT', '8000')}",
)
_database = os.environ["DATABASE_URL"]
# Beside its database: another one has a trail, and a key, of its own.
env.default(
    AUDIT_FOLDER=f"{unquote(urlsplit(_database).path[1:])}.audit"
    if _database.startswith("sqlite:///")
    else str(VAR / "audit"),
)
if not os.environ.get("SECRET_KEY"):
    env.default(SECRET_KEY=env.embedded_secret(VAR / "secret-key"))

from config.base import *  # noqa: E402

WHITENOISE_USE_FINDERS = True
STATIC_ROOT = None  # type: ignore[assignment]  # served from the apps
