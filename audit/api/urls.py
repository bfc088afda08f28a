from django.urls import path

from audit.api import views

urlpatterns = [
    path("audit/events", views.EventsView.as_view()),
    path("audit/events/<uuid:event_id>", views.EventView.as_view()),
    path("audit/export", views.ExportView.as_view()),
    path("audit/checkpoints/latest", views.LatestCheckpointView.as_view()),
    path("audit/consistency", views.ConsistencyView.as_view()),
    path("sessions/<uuid:session_id>/explanation", views.SessionExplanationView.as_view()),
    path("users/me/activity", views.ActivityView.as_view()),
]
