from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from config.metrics import metrics
from core import health, problems
from sessions_app.door import open_panel
from users import pages

urlpatterns = [
    path("api/v1/", include("users.api.urls")),
    path("api/v1/", include("sessions_app.api.urls")),
    path("api/v1/", include("audit.api.urls")),
    path(
        "api/schema",
        SpectacularAPIView.as_view(
            authentication_classes=[], permission_classes=[], http_method_names=["get", "head"]
        ),
        name="schema",
    ),
    path(
        "api/docs",
        SpectacularSwaggerView.as_view(
            url_name="schema",
            authentication_classes=[],
            permission_classes=[],
            http_method_names=["get", "head"],
        ),
    ),
    re_path("^api/", csrf_exempt(problems.not_found)),
    path("health/live", csrf_exempt(require_safe(health.live))),
    path("health/ready", csrf_exempt(require_safe(health.ready))),
    path("metrics", csrf_exempt(require_safe(metrics))),
    path("verify-email", pages.VerifyEmailPage.as_view()),
    path("change-email", pages.ChangeEmailPage.as_view()),
    path("forgotten-password", pages.ForgottenPasswordPage.as_view(), name="admin_password_reset"),
    path("reset-password", pages.ResetPasswordPage.as_view()),
    path("invitation", pages.AcceptInvitationPage.as_view()),
    path("unlock", pages.UnlockPage.as_view()),
    path("setup", pages.SetUpPage.as_view()),
    path("", pages.home),
    path("admin/", open_panel().urls),
]
handler400 = "core.problems.bad_request"
handler404 = "core.problems.not_found"
handler500 = "core.problems.server_error"
