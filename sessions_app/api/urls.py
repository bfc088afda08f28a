from django.urls import path

from sessions_app.api import views

urlpatterns = [
    path("sessions", views.SessionsView.as_view()),
    path("sessions/current", views.CurrentSessionView.as_view()),
    path("sessions/<uuid:session_id>", views.SessionView.as_view()),
    path("tokens", views.TokensView.as_view()),
]
