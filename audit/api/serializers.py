"""The shapes of the trail in HTTP. Queries that are not understood are refused: a filter that was
overlooked would show an auditor another trail than they asked for."""

from dataclasses import fields
from typing import Any, Final

from rest_framework import serializers

from audit.application.explaining import Doer
from audit.ports import Criteria
from core.actions import Phase
from core.serializers import IPAddressField, QuerySerializer, TextField

LARGEST_PAGE: Final = 200
_PHASES: Final = [phase.name for phase in Phase]


class StrictQuerySerializer(QuerySerializer):
    def to_internal_value(self, data: Any) -> Any:
        if unknown := sorted(set(data) - set(self.fields)):
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                {name: [f"Not a parameter; there are: {known}."] for name in unknown}
            )
        return super().to_internal_value(data)


class CriteriaSerializer(StrictQuerySerializer):
    subject = serializers.UUIDField(required=False, help_text="The user whom it is about.")
    actor = serializers.UUIDField(required=False, help_text="The user who did it.")
    resource_type = TextField(required=False, max_length=32)
    resource_id = serializers.UUIDField(required=False)
    action = TextField(required=False, max_length=64, help_text="E.g. user.login.")
    phase = serializers.MultipleChoiceField(
        choices=_PHASES, required=False, help_text="May be repeated."
    )
    correlation = serializers.UUIDField(required=False, help_text="All of one request.")
    ip = IPAddressField(
        required=False, help_text="As long as addresses can be searched for (AUDIT_IP_DAYS)."
    )
    since = serializers.DateTimeField(required=False, help_text="Recorded at this time or later.")
    until = serializers.DateTimeField(required=False, help_text="Recorded before this time.")

    def criteria(self) -> Criteria:
        asked = self.validated_data
        phases = frozenset(Phase[name] for name in asked.get("phase", ()))
        names = {each.name for each in fields(Criteria)}
        return Criteria(phases=phases, **{name: asked[name] for name in asked if name in names})


class PageQuerySerializer(StrictQuerySerializer):
    before = serializers.UUIDField(required=False, help_text="Continue after this event.")
    limit = serializers.IntegerField(min_value=1, max_value=LARGEST_PAGE, default=50)


class EventsQuerySerializer(CriteriaSerializer, PageQuerySerializer):
    pass


class ExportQuerySerializer(CriteriaSerializer):
    after = serializers.UUIDField(
        required=False, help_text="Continue behind this event: the last one of a broken stream."
    )


class ConsistencyQuerySerializer(StrictQuerySerializer):
    to = serializers.IntegerField(
        required=False, min_value=0, help_text="Number of leaves; the last checkpoint's."
    )

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python.
        first = serializers.IntegerField(min_value=0, help_text="Number of leaves.")
        return {"from": first, **super().get_fields()}


class PersonSerializer(serializers.Serializer[Any]):
    ref = serializers.UUIDField(help_text="The pseudonym on the trail.")
    user_id = serializers.UUIDField(allow_null=True, help_text="Null: not known, or erased.")


class ResourceSerializer(serializers.Serializer[Any]):
    type = serializers.CharField()
    ref = serializers.UUIDField(help_text="Of a user the pseudonym, of others the id.")
    user_id = serializers.UUIDField(allow_null=True)


class EventSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    at = serializers.DateTimeField(help_text="By the clock of the application.")
    recorded_at = serializers.DateTimeField(help_text="By the clock of the database.")
    action = serializers.CharField()
    phase = serializers.ChoiceField(choices=_PHASES)
    attempt = serializers.UUIDField(allow_null=True, help_text="Of which this is the outcome.")
    correlation = serializers.UUIDField()
    actor = PersonSerializer(allow_null=True)
    subject = PersonSerializer(allow_null=True)
    resource = ResourceSerializer(allow_null=True)
    door = serializers.CharField(allow_null=True, help_text="api, panel, page or command.")
    trace_id = serializers.CharField(allow_null=True)
    details = serializers.DictField()
    source = serializers.DictField(  # type: ignore[assignment]  # a word of DRF
        allow_null=True, help_text="ip and agent of the actor."
    )
    personal = serializers.DictField(allow_null=True)
    is_erased = serializers.BooleanField(
        help_text="Something personal was recorded, and its key was destroyed."
    )
    error = serializers.CharField(allow_null=True, help_text="What stopped the action.")
    is_sealed = serializers.BooleanField()


class EventPageSerializer(serializers.Serializer[Any]):
    results = EventSerializer(many=True)
    next = serializers.URLField(allow_null=True)


class ProofSerializer(serializers.Serializer[Any]):
    leaf = serializers.IntegerField()
    text = serializers.CharField(help_text="C2SP tlog-proof@v1, with the signed checkpoint.")


class ProvedEventSerializer(EventSerializer):
    entry = serializers.CharField(
        help_text="Exactly what was recorded: its UTF-8 bytes are what the proof is about."
    )
    proof = ProofSerializer(allow_null=True, help_text="Null as long as it is not sealed.")


class CheckpointSerializer(serializers.Serializer[Any]):
    origin = serializers.CharField()
    size = serializers.IntegerField()
    root_hash = serializers.CharField(help_text="Hexadecimal.")
    note = serializers.CharField(help_text="C2SP tlog-checkpoint, signed.")


class ConsistencySerializer(serializers.Serializer[Any]):
    to = serializers.IntegerField()
    hashes = serializers.ListField(
        child=serializers.CharField(), help_text="RFC 9162 §2.1.4, base64."
    )

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.IntegerField(), **super().get_fields()}


class ActivitySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    action = serializers.CharField()
    phase = serializers.ChoiceField(choices=_PHASES)
    by_me = serializers.BooleanField()
    door = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    ip = serializers.CharField(allow_null=True, help_text="Not of an admin.")
    agent = serializers.CharField(allow_null=True)


class StepSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Of the event.")
    at = serializers.DateTimeField()
    action = serializers.CharField()
    phase = serializers.ChoiceField(choices=_PHASES)
    text = serializers.CharField()
    by = serializers.ChoiceField(choices=[doer.value for doer in Doer])


class ExplanationSerializer(serializers.Serializer[Any]):
    summary = serializers.CharField()
    steps = StepSerializer(many=True, help_text="Newest first, at most 50.")
    is_whole = serializers.BooleanField(help_text="Whether the steps go back to the beginning.")


class ActivityPageSerializer(serializers.Serializer[Any]):
    results = ActivitySerializer(many=True)
    next = serializers.URLField(allow_null=True)
