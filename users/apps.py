from django.apps import AppConfig

from core.protection import protect


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = "Accounts"

    def ready(self) -> None:
        protect(self.get_model("User"), except_for=("updated_at",))
        protect(self.get_model("OneUseToken"))
        protect(self.get_model("DevicePass"), except_for=("last_used_at",))
        from mail.letters import letters
        from users import wiring

        wiring.register_letters(letters)
