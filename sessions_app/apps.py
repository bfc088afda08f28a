from typing import Any

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core.checks import CheckMessage, Tags, register

from core.protection import protect


class PanelConfig(SimpleAdminConfig):
    default = False
    default_site = "sessions_app.door.PanelSite"

    def ready(self) -> None:
        """Without its pages: config.urls loads them, and no command waits for them."""
        register(check_panel, Tags.admin)


def check_panel(app_configs: Any = None, **_: Any) -> list[CheckMessage]:
    from sessions_app import door

    door.open_panel()
    return [*check_dependencies(), *check_admin_app(app_configs)]


class SessionsConfig(AppConfig):
    default = True
    name = "sessions_app"
    verbose_name = "Device sessions"

    def ready(self) -> None:
        protect(self.get_model("DeviceSession"), except_for=("last_seen_at", "first_used_at"))
        protect(self.get_model("TokenRotation"))
        protect(self.get_model("PersonalToken"), except_for=("last_used_at",))
        from mail.letters import letters
        from sessions_app import receivers, wiring
        from users.wiring import export_sections

        wiring.register_letters(letters)
        wiring.register_exports(export_sections)
        receivers.connect()
