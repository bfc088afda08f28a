from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from core import health, problems
from users import pages

urlpatterns = [
    path("api/v1/", include("users.api.urls")),
    path("api/v1/", include("sessions_app.api.urls")),
    path(
        "api/schema",
        SpectacularAPIView.as_view(authentication_classes=[], permission_classes=[]),
        name="schema",
    ),
    path(
        "api/docs",
        SpectacularSwaggerView.as_view(
            url_name="schema", authentication_classes=[], permission_classes=[]
        ),
    ),
    re_path("^api/", problems.not_found),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("verify-email", pages.verify_email),
    path("setup", pages.set_up),
    path("", pages.home),
    path("admin/", admin.site.urls),
]
handler400 = "core.problems.bad_request"
handler404 = "core.problems.not_found"
handler500 = "core.problems.server_error"
