"""Real PostgreSQL and Redis or Valkey, which `tests.plugin.services` starts."""

import os

from config import env
from core.quotas import POLICIES

env.only(
    ENVIRONMENT="testing",
    SECRET_KEY="only-for-tests-only-for-tests-only-for-tests",
    DATABASE_URL=os.environ.get(
        "TEST_DATABASE_URL", "postgres://dashtam:dashtam@127.0.0.1:5433/dashtam"
    ),
    REDIS_URL=os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6380/0"),
    EMAIL_URL="memorymail://",
    ALLOWED_HOSTS="testserver,localhost,127.0.0.1",
    PUBLIC_URL="http://testserver",
    LOG_LEVEL="WARNING",
    AUDIT_FOLDER="/nonexistent/audit",
    # The smallest Argon2id there is: the tests of the parameters build their own.
    ARGON2_MEMORY_KIB="8",
    ARGON2_TIME_COST="1",
    # All tests come from one address: those of the limits set their own.
    RATE_LIMITS=",".join(f"{name}=100000/minute" for name in POLICIES),
)

from config.base import *  # noqa: E402

WHITENOISE_USE_FINDERS = True
# Files are looked for when they are asked for: each test's client would list them all anew.
WHITENOISE_AUTOREFRESH = True
STATIC_ROOT = None  # type: ignore[assignment]  # served from the apps
