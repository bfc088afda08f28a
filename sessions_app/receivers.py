"""What happens to accounts, and ends sessions in the same transaction."""

from core.signals import SignalEventBus
from sessions_app import wiring
from sessions_app.domain.session import EndReason
from users.domain.events import SessionsForfeited


def end_forfeited_sessions(event: SessionsForfeited) -> None:
    if event.user_id is not None:
        wiring.forfeited_sessions().end(event.user_id, event.kept, EndReason(event.reason))


def connect() -> None:
    SignalEventBus().subscribe(SessionsForfeited, end_forfeited_sessions)
