from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Audit trail"

    def ready(self) -> None:
        from audit import protection, receivers

        receivers.connect()
        post_migrate.connect(
            protection.install_triggers, sender=self, dispatch_uid="audit.install_triggers"
        )
