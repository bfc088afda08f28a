"""What every installation shares; the values come from `core.settings`."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy
from environ import Env

from config.env import ROOT
from core.logging import logging_config
from core.settings import get_settings

_settings = get_settings()

SECRET_KEY = _settings.secret_key
PUBLIC_URL = _settings.public_url
DEBUG = False
ALLOWED_HOSTS = list(_settings.allowed_hosts)
CSRF_TRUSTED_ORIGINS = [_settings.public_url]

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "sessions_app.apps.PanelConfig",
    # Before Django's, whose commands and pages of the same name they replace.
    "config",
    "core",
    "mail",
    "users",
    "sessions_app",
    "audit",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    # Without "rest_framework": that brings its own pages, which nobody sees, and template tags that
    # load all of it in every command.
    "drf_spectacular",
    "drf_spectacular_sidecar",
]
MIDDLEWARE = [
    "core.middleware.TraceMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "core.middleware.NoStoreMiddleware",
    "core.middleware.RequestLimitMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # What stands there is taken in the place of our own: mails and pages in other words.
        "DIRS": [_settings.templates_folder] if _settings.templates_folder else [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

_database = Env.db_url_config(_settings.database_url)
# Refusals commit, exceptions roll back: a transaction per request would undo the refusals.
_database |= {"ATOMIC_REQUESTS": False, "CONN_MAX_AGE": None}
if _database["ENGINE"] == "django.db.backends.postgresql":
    # The driver would wait for ever for a server that accepts and does not answer.
    _database["OPTIONS"] = {"connect_timeout": 5} | _database.get("OPTIONS", {})
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 10,
        # With recursive triggers, REPLACE fires those of DELETE.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "PRAGMA recursive_triggers=ON;",
    }
DATABASES: dict[str, Any] = {"default": _database}
if _settings.database_owner_url:
    # Of `manage.py migrate`, and of nothing that serves requests.
    DATABASES["owner"] = Env.db_url_config(_settings.database_owner_url) | {
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": None,
        "TEST": {"MIRROR": "default"},
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES: dict[str, Any] = {
    "default": (
        {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": _settings.redis_url}
        if _settings.redis_url
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["sessions_app.door.DeviceSessionBackend"]
# The first makes hashes; the others verify what was brought along, until its owner signs in.
PASSWORD_HASHERS = [
    "users.adapters.Argon2idHasher",
    "users.hashers.BcryptHasher",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "users.hashers.Pbkdf2Hasher",
    "users.hashers.ScryptHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
# The unique index of the address is on Lower(email), which this check does not see.
SILENCED_SYSTEM_CHECKS = ["auth.W004", "auth.E003"]

LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_PATH = "/admin/"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
# `core.forwarding` leaves this header only where a trusted proxy has set it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Never with cookies: the API takes bearer tokens alone.
CORS_ALLOWED_ORIGINS = list(_settings.cors_origins)
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = (
    "accept",
    "authorization",
    "content-type",
    "traceparent",
    "x-device-token",
    "x-trace-id",
)
CORS_EXPOSE_HEADERS = (
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Trace-Id",
)
CORS_PREFLIGHT_MAX_AGE = 3600

_email = Env.email_url_config(_settings.email_url)
EMAIL_BACKEND = _email.pop("EMAIL_BACKEND")
if EMAIL_BACKEND == "django.core.mail.backends.console.EmailBackend":
    EMAIL_BACKEND = "mail.console.EmailBackend"
# `filemail:///folder` is an absolute path; the parser drops one slash.
EMAIL_FILE_PATH = "/" + (_email.get("EMAIL_FILE_PATH") or "").lstrip("/")
EMAIL_HOST = _email.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = _email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = bool(_email.get("EMAIL_USE_TLS"))
EMAIL_USE_SSL = bool(_email.get("EMAIL_USE_SSL"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = _settings.default_from_email

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = ["config.formats"]
STATIC_URL = "static/"
STATIC_ROOT = ROOT / "staticfiles"
LOGGING = logging_config(
    level=_settings.log_level, json=_settings.log_json, echo_sql=_settings.db_echo
)

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["sessions_app.api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["core.throttles.PolicyThrottle"],
    "DEFAULT_PARSER_CLASSES": ["core.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "config.openapi.DocumentedSchema",
    "EXCEPTION_HANDLER": "core.problems.handle_exception",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Dashtam",
    "DESCRIPTION": "Accounts, device sessions and an append-only audit trail.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Dashtam",
    "SITE_HEADER": "Dashtam",
    "SHOW_HISTORY": False,
    "STYLES": [lambda request: static("panel/panel.css")],
    "SIDEBAR": {
        "navigation": [
            {
                "items": [
                    {
                        "title": title,
                        "icon": icon,
                        "link": reverse_lazy(f"admin:{page}"),
                    }
                    for title, icon, page in (
                        ("Dashboard", "dashboard", "index"),
                        ("Accounts", "group", "users_user_changelist"),
                        ("Sessions", "devices", "sessions_app_devicesession_changelist"),
                        ("Audit trail", "fact_check", "audit_auditevent_changelist"),
                    )
                ]
            }
        ]
    },
    # In the place of a change of password, which belongs to a handler.
    "ACCOUNT": {"navigation": [{"title": "API documentation", "link": "/api/docs"}]},
}
