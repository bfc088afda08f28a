from core.events import EventMetadata, RequestsThrottled


def test_without_a_request_an_event_came_from_a_command() -> None:
    metadata = EventMetadata()
    assert metadata.door == "command"
    assert (metadata.ip_address, metadata.user_agent, metadata.trace_id, metadata.actor_id) == (
        None,
        None,
        None,
        None,
    )


def test_each_request_has_a_correlation_of_its_own() -> None:
    assert EventMetadata().correlation.version == 7
    assert EventMetadata().correlation != EventMetadata().correlation


def test_a_refusal_of_the_limits_is_on_record_at_once() -> None:
    throttled = RequestsThrottled(policy="login", by="source", amount=5, seconds=60)
    assert (throttled.action.value, throttled.phase.name) == ("requests.throttled", "SOLE")
    assert (throttled.user_id, throttled.by_subject, throttled.erases_subject) == (
        None,
        False,
        False,
    )
