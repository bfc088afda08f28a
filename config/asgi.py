import os
from importlib import import_module

from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.production")
application = get_asgi_application()
import_module(settings.ROOT_URLCONF)  # or the first request would wait for it
