"""PostgreSQL, Redis or Valkey, and secrets from the environment; refuses to start without them."""

import os

from config import env

env.read_dotenv()
os.environ["ENVIRONMENT"] = "production"

from config.base import *  # noqa: E402

SECURE_PROXY_SSL_HEADER = None
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
