from django.urls import path

from sessions_app.api import administration, personal_tokens, revocations, views

urlpatterns = [
    path("sessions", views.SessionsView.as_view()),
    path("sessions/others", views.OtherSessionsView.as_view()),
    path("sessions/current", views.CurrentSessionView.as_view()),
    path("sessions/<uuid:session_id>", views.SessionView.as_view()),
    path("tokens", views.TokensView.as_view()),
    path("users/me/reauthentications", views.ReauthenticationsView.as_view()),
    path("access-tokens", personal_tokens.PersonalTokensView.as_view()),
    path("access-tokens/<uuid:token_id>", personal_tokens.PersonalTokenView.as_view()),
    path("admin/token-rotations", administration.TokenRotationsView.as_view()),
    path(
        "admin/users/<uuid:user_id>/session-revocations",
        administration.AccountSessionsView.as_view(),
    ),
    path("revocations", revocations.RevocationsView.as_view()),
    path("introspections", personal_tokens.IntrospectionsView.as_view()),
]
