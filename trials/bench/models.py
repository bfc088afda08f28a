"""The same row four times: nobody looks at the first, each of the others has its audit app."""

from typing import ClassVar, Self

from auditlog.registry import auditlog  # type: ignore[import-untyped]
from django.db import models


class Row(models.Model):
    name = models.CharField(max_length=60)
    note = models.CharField(max_length=60)
    count = models.IntegerField(default=0)
    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        abstract = True


class Item(Row):
    """Also what is changed beside an event of ours."""


class AuditlogItem(Row):
    pass


class EasyItem(Row):
    """Named in the settings of django-easy-audit."""


auditlog.register(AuditlogItem)
