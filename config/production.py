"""PostgreSQL, Redis or Valkey, and secrets from the environment; refuses to start without them."""

import os

from config import env

env.read_dotenv()
os.environ["ENVIRONMENT"] = "production"

from config.base import *  # noqa: E402

# Sent over TLS alone, which is what PUBLIC_URL must name here: the server's own or its proxy's.
SECURE_HSTS_SECONDS = 365 * 24 * 3600
# Redirecting is the proxy's part, for health checks come over plain HTTP; the other two speak for
# host names that are not ours.
SILENCED_SYSTEM_CHECKS += ["security.W005", "security.W008", "security.W021"]
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
