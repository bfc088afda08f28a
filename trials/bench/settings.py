"""What is compared runs beside the trail, in one process: two other audit apps, each of which looks
at one model alone."""

from trials.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "auditlog", "easyaudit", "trials.bench"]  # noqa: F405
# Model classes are resolved in place when easyaudit is loaded.
DJANGO_EASY_AUDIT_REGISTERED_CLASSES = ["bench.EasyItem"]
DJANGO_EASY_AUDIT_WATCH_AUTH_EVENTS = False
DJANGO_EASY_AUDIT_WATCH_REQUEST_EVENTS = False
