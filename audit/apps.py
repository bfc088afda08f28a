from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Audit trail"

    def ready(self) -> None:
        # Importing the checks registers them.
        from audit import checks, grants, protection, receivers  # noqa: F401

        receivers.connect()
        pre_migrate.connect(
            protection.remove_triggers, sender=self, dispatch_uid="audit.remove_triggers"
        )
        post_migrate.connect(
            protection.install_triggers, sender=self, dispatch_uid="audit.install_triggers"
        )
        post_migrate.connect(
            grants.grant_after_migrating, sender=self, dispatch_uid="audit.grant_after_migrating"
        )
