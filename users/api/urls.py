from django.urls import path

from users.api import addresses, administration, devices, passwords, views

urlpatterns = [
    path("users", views.UsersView.as_view()),
    path("users/me", views.CurrentUserView.as_view()),
    path("users/me/password", passwords.PasswordView.as_view()),
    path("users/me/email", addresses.EmailView.as_view()),
    path("users/me/export", views.ExportView.as_view()),
    path("email-verification-tokens", views.EmailVerificationTokensView.as_view()),
    path("email-verifications", views.EmailVerificationsView.as_view()),
    path("email-changes", addresses.EmailChangesView.as_view()),
    path("password-reset-tokens", passwords.PasswordResetTokensView.as_view()),
    path("password-resets", passwords.PasswordResetsView.as_view()),
    path("device-passes", devices.DevicePassesView.as_view()),
    path("invitations", passwords.InvitationsView.as_view()),
    path("admin/users", administration.AccountsView.as_view()),
    path("admin/users/<uuid:user_id>", administration.AccountView.as_view()),
    path("admin/users/<uuid:user_id>/locks", administration.AccountLocksView.as_view()),
    path("admin/users/<uuid:user_id>/unlocks", administration.AccountUnlocksView.as_view()),
    path(
        "admin/users/<uuid:user_id>/password-reset-tokens",
        administration.AccountResetTokensView.as_view(),
    ),
]
