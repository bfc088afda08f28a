"""The pure part of the adapter: the row never goes its own way."""

import pytest

from audit import models
from core.actions import Phase
from core.ids import uuid7


def event(phase: Phase = Phase.FAILED) -> models.AuditEvent:
    return models.AuditEvent(id=uuid7(), action="user.login", phase=phase)


class TestAuditEvent:
    def test_it_reads_as_what_happened(self) -> None:
        assert str(event()) == "user.login FAILED"

    def test_it_cannot_be_saved(self) -> None:
        with pytest.raises(TypeError, match="domain events alone"):
            event().save()

    def test_it_cannot_be_deleted(self) -> None:
        with pytest.raises(TypeError, match="append-only"):
            event().delete()

    def test_migrations_do_not_manage_its_table(self) -> None:
        assert models.AuditEvent._meta.managed is False

    @pytest.mark.parametrize("phase", list(Phase))
    def test_each_phase_has_its_name_in_the_panel(self, phase: Phase) -> None:
        assert event(phase).get_phase_display() == phase.name
