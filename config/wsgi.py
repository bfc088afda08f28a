import os
import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.production")
_django: Any = get_wsgi_application()
import_module(settings.ROOT_URLCONF)  # or the first request would wait for it
_CHARSET = re.compile(r";\s*charset\s*=[^;]*", re.IGNORECASE)


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Everything here is UTF-8. Django would decode the query in any charset that a request
    names, with an error before the first middleware for one that is no text."""
    environ["CONTENT_TYPE"] = _CHARSET.sub("", environ.get("CONTENT_TYPE", ""))
    response: Iterable[bytes] = _django(environ, start_response)
    return response
