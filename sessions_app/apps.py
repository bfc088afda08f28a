from django.apps import AppConfig, apps
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.utils.module_loading import autodiscover_modules

from core.protection import protect


class PanelConfig(SimpleAdminConfig):
    default = False
    default_site = "sessions_app.door.PanelSite"

    def ready(self) -> None:
        super().ready()
        autodiscover_modules("admin", "panel", register_to=admin.site)
        # Roles say who may do what; groups would say it a second time.
        admin.site.unregister(apps.get_model("auth", "Group"))


class SessionsConfig(AppConfig):
    default = True
    name = "sessions_app"
    verbose_name = "Device sessions"

    def ready(self) -> None:
        protect(self.get_model("DeviceSession"), except_for=("last_seen_at", "first_used_at"))
        protect(self.get_model("TokenRotation"))
        protect(self.get_model("PersonalToken"), except_for=("last_used_at",))
        from mail.letters import letters
        from sessions_app import door, receivers, wiring
        from users.wiring import export_sections

        wiring.register_letters(letters)
        wiring.register_exports(export_sections)
        receivers.connect()

        user_logged_in.connect(door.remember_device_session, dispatch_uid="panel.sign_in")
        user_logged_out.connect(door.end_device_session, dispatch_uid="panel.sign_out")
