"""What hashing passwords, a period between mails and the addresses of an import promise."""

from users.ports import Addresses, Cooldown, PasswordService

EMAIL = "test@example.com"
PASSWORD = "correct horse battery staple"


class PasswordServiceContract:
    """Uses fixtures: service."""

    def test_a_password_verifies_against_its_hash_alone(self, service: PasswordService) -> None:
        hashed = service.hash_password(PASSWORD)
        assert service.verify_password(PASSWORD, hashed) is True
        assert service.verify_password(PASSWORD, service.hash_password("another")) is False

    def test_a_hash_is_no_password(self, service: PasswordService) -> None:
        hashed = service.hash_password(PASSWORD)
        assert service.verify_password(hashed, hashed) is False
        assert PASSWORD not in hashed

    def test_nothing_verifies_against_no_hash(self, service: PasswordService) -> None:
        assert service.verify_password(PASSWORD, None) is False


class CooldownContract:
    """Uses fixtures: cooldown."""

    def test_one_claim_is_granted_per_period(self, cooldown: Cooldown) -> None:
        assert [cooldown.claim(EMAIL) for _ in range(3)] == [True, False, False]

    def test_what_was_started_grants_none(self, cooldown: Cooldown) -> None:
        cooldown.start(EMAIL)
        assert cooldown.claim(EMAIL) is False

    def test_every_address_has_a_period_of_its_own(self, cooldown: Cooldown) -> None:
        cooldown.start(EMAIL)
        assert cooldown.claim("other@example.com") is True


class AddressesContract:
    """Uses fixtures: addresses."""

    def test_each_is_new_once(self, addresses: Addresses) -> None:
        emails = [EMAIL, "bob@example.com", EMAIL, "test@example.co", EMAIL]
        assert [addresses.add(email) for email in emails] == [True, True, False, True, False]
