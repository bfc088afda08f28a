import asyncio
from contextvars import copy_context
from dataclasses import FrozenInstanceError
from threading import Thread

import pytest

from core import context
from core.events import EventMetadata
from core.ids import uuid7

ADA = EventMetadata(ip_address="192.0.2.1", user_agent="Firefox", trace_id="trace", door="api")


class TestCurrent:
    def test_where_nothing_is_bound_a_command_asks(self):
        assert context.current().door == "command"

    @pytest.mark.parametrize("field", ["ip_address", "user_agent", "trace_id", "actor_id"])
    def test_where_nothing_is_bound_nothing_is_known(self, field: str):
        assert getattr(context.current(), field) is None

    def test_what_is_bound_is_current(self):
        with context.bound(ADA):
            assert context.current() is ADA

    def test_it_ends_with_the_block(self):
        with context.bound(ADA):
            pass
        assert context.current().trace_id is None

    def test_it_ends_with_an_exception(self):
        with pytest.raises(ZeroDivisionError), context.bound(ADA):
            raise ZeroDivisionError
        assert context.current().trace_id is None

    def test_the_outer_one_is_current_again_after_the_inner_one(self):
        with context.bound(ADA):
            with context.bound(EventMetadata()):
                pass
            assert context.current() is ADA

    def test_another_thread_does_not_see_it(self):
        found: list[str | None] = []
        with context.bound(ADA):
            thread = Thread(target=lambda: found.append(context.current().trace_id))
            thread.start()
            thread.join()
        assert found == [None]

    def test_a_copied_context_keeps_it(self):
        with context.bound(ADA):
            copied = copy_context()
        assert copied.run(context.current) is ADA

    async def test_tasks_do_not_see_each_other_s(self):
        async def ask(trace_id: str) -> str | None:
            with context.bound(EventMetadata(trace_id=trace_id)):
                await asyncio.sleep(0)
                return context.current().trace_id

        first, second = await asyncio.gather(ask("one"), ask("two"))
        assert (first, second) == ("one", "two")


class TestAmend:
    def test_what_is_learned_later_is_added(self):
        actor = uuid7()
        with context.bound(ADA):
            context.amend(actor_id=actor)
            found = context.current()
        assert (found.actor_id, found.trace_id, found.correlation) == (
            actor,
            ADA.trace_id,
            ADA.correlation,
        )

    def test_it_ends_with_the_block(self):
        with context.bound(ADA):
            context.amend(actor_id=uuid7())
        assert context.current().actor_id is None

    def test_where_nothing_is_bound_nothing_is_kept(self):
        """An actor that stuck to a thread would sign the next request's events."""
        context.amend(actor_id=uuid7())
        assert context.current().actor_id is None

    def test_what_is_not_metadata_is_refused(self):
        with context.bound(ADA), pytest.raises(TypeError):
            context.amend(actor="ada")


class TestEnsured:
    def test_where_nothing_is_bound_one_correlation_is(self):
        with context.ensured():
            assert context.current() is context.current()

    def test_what_is_bound_stays(self):
        with context.bound(ADA), context.ensured() as metadata:
            assert (metadata, context.current()) == (ADA, ADA)

    def test_what_is_learned_inside_lasts_beyond_it(self):
        actor = uuid7()
        with context.bound(ADA):
            with context.ensured():
                context.amend(actor_id=actor)
            assert context.current().actor_id == actor

    def test_it_ends_with_the_block(self):
        with context.ensured() as metadata:
            pass
        assert context.current().correlation != metadata.correlation


class TestEventMetadata:
    def test_each_has_a_correlation_of_its_own(self):
        assert EventMetadata().correlation != EventMetadata().correlation

    def test_it_cannot_be_changed(self):
        with pytest.raises(FrozenInstanceError):
            setattr(ADA, "door", "panel")  # noqa: B010  the assignment itself is under test
