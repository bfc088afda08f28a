from sessions_app.application.forfeiting import ForfeitedSessions
from sessions_app.domain.events import SessionEnded
from sessions_app.domain.session import EndReason
from tests.factories import make_session
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus
from tests.fakes.sessions import SessionHouse


def test_all_sessions_of_the_person_but_the_kept_one_end_on_record(clock: FakeClock) -> None:
    house, bus = SessionHouse(clock), StubEventBus()
    other, strange = make_session(user_id=house.user.id), make_session()
    house.sessions.save(other)
    house.sessions.save(strange)
    forfeited = ForfeitedSessions(session_repo=house.sessions, event_bus=bus, clock=clock)
    forfeited.end(house.user.id, house.session_id, EndReason.PASSWORD_CHANGED)
    reasons = {one.id: one.revoked_reason for one in house.sessions.sessions.values()}
    assert reasons == {
        house.session_id: None,
        other.id: EndReason.PASSWORD_CHANGED,
        strange.id: None,
    }
    (ended,) = bus.published_events
    assert isinstance(ended, SessionEnded)
    assert (ended.session_id, ended.reason) == (other.id, "password_changed")
