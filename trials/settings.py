"""What trials run on: one database, the local cache unless a trial has another, no mail, whatever
the shell says."""

import os

from config import env

env.only(
    ENVIRONMENT="testing",
    SECRET_KEY="only-for-trials-only-for-trials-only-for-trials",  # noqa: S106  guards nothing
    DATABASE_URL=os.environ.get("TRIALS_DATABASE_URL", "sqlite://:memory:"),
    REDIS_URL=os.environ.get("TRIALS_REDIS_URL", ""),
    EMAIL_URL="memorymail://",
    PUBLIC_URL="http://trials.invalid",
    LOG_LEVEL="CRITICAL",
    AUDIT_FOLDER=os.environ.get("TRIALS_AUDIT_FOLDER", "/nonexistent/audit"),
    # The smallest Argon2id there is: a trial is about the trail.
    ARGON2_MEMORY_KIB="8",
    ARGON2_TIME_COST="1",
)

from config.base import *  # noqa: E402, F403
