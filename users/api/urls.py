from django.urls import path

from users.api import views

urlpatterns = [
    path("users", views.UsersView.as_view()),
    path("users/me", views.CurrentUserView.as_view()),
    path("email-verifications", views.EmailVerificationsView.as_view()),
]
