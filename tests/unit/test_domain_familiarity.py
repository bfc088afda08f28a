import pytest

from sessions_app.domain.familiarity import Mark, Origin, marks_of

LAPTOP = Origin("Firefox on Linux", "192.0.2.7")


class TestMarks:
    def test_the_first_sign_in_of_all_is_compared_with_nothing(self) -> None:
        assert marks_of(LAPTOP, []) == ()

    def test_what_was_there_before_is_not_new(self) -> None:
        assert marks_of(LAPTOP, [Origin("curl", "198.51.100.1"), LAPTOP]) == ()

    @pytest.mark.parametrize(
        ("origin", "marks"),
        [
            (Origin("curl", "192.0.2.7"), (Mark.NEW_DEVICE,)),
            (Origin("Firefox on Linux", "192.0.3.7"), (Mark.NEW_NETWORK,)),
            (Origin("curl", "2001:db8::1"), (Mark.NEW_DEVICE, Mark.NEW_NETWORK)),
            (Origin("Firefox on Linux", None), (Mark.NEW_NETWORK,)),
        ],
    )
    def test_what_was_not_is(self, origin: Origin, marks: tuple[Mark, ...]) -> None:
        assert marks_of(origin, [LAPTOP]) == marks

    @pytest.mark.conforms("A20")
    @pytest.mark.parametrize(
        ("failures", "marked"), [(0, False), (2, False), (3, True), (99, True)]
    )
    def test_a_success_after_wrong_passwords_is_marked(self, failures: int, marked: bool) -> None:
        for earlier in ([], [LAPTOP]):
            assert (Mark.AFTER_FAILURES in marks_of(LAPTOP, earlier, failures)) is marked


class TestNetworks:
    @pytest.mark.parametrize(
        ("address", "network"),
        [
            ("192.0.2.7", "192.0.2.0/24"),
            ("192.0.2.255", "192.0.2.0/24"),
            ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
            (None, None),
        ],
    )
    def test_an_address_belongs_to_its_household(
        self, address: str | None, network: str | None
    ) -> None:
        assert Origin("curl", address).network == network
