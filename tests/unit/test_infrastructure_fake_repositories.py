"""The repositories in memory that the other unit tests use keep the contracts of the real ones."""

import pytest

from sessions_app.ports import (
    PersonalTokenReader,
    PersonalTokenRepository,
    RotationRepository,
    SessionReader,
    SessionRepository,
)
from tests.contracts.accounts import (
    KEYS,
    OTHER_KEYS,
    DevicePassRepositoryContract,
    OneUseTokenRepositoryContract,
    Ports,
    SignInGuardContract,
    UserRepositoryContract,
)
from tests.contracts.helpers import AddressesContract, CooldownContract, PasswordServiceContract
from tests.contracts.sessions import (
    EndContract,
    PersonalTokenContract,
    RefreshContract,
    RotationContract,
    RotationStore,
    SessionContract,
    Store,
    TokenStore,
    TouchContract,
)
from tests.factories import make_user
from tests.fakes.sessions import InMemoryPersonalTokens, InMemoryRotations, InMemorySessions
from tests.fakes.users import (
    InMemoryAddresses,
    InMemoryCooldown,
    InMemoryDevicePassRepository,
    InMemoryOneUseTokenRepository,
    InMemorySignInGuard,
    InMemoryUserRepository,
    ReversingPasswordService,
)
from users.ports import (
    Addresses,
    Cooldown,
    DevicePassRepository,
    OneUseTokenRepository,
    PasswordService,
    SignInGuard,
    UserRepository,
)


@pytest.fixture
def ports() -> Ports:
    tokens = InMemoryOneUseTokenRepository(KEYS)
    return Ports(
        users=InMemoryUserRepository(),
        tokens=tokens,
        rotated=InMemoryOneUseTokenRepository(OTHER_KEYS, tokens.tokens),
        guard=InMemorySignInGuard(),
        passes=InMemoryDevicePassRepository(),
    )


@pytest.mark.contract(of=UserRepository)
class TestInMemoryUserRepository(UserRepositoryContract):
    pass


@pytest.mark.contract(of=OneUseTokenRepository)
class TestInMemoryOneUseTokenRepository(OneUseTokenRepositoryContract):
    pass


@pytest.mark.contract(of=SignInGuard)
class TestInMemorySignInGuard(SignInGuardContract):
    pass


@pytest.mark.contract(of=DevicePassRepository)
class TestInMemoryDevicePassRepository(DevicePassRepositoryContract):
    pass


@pytest.mark.contract(of=(SessionRepository, SessionReader))
class TestInMemorySessions(SessionContract, RefreshContract, EndContract, TouchContract):
    @pytest.fixture
    def store(self) -> Store:
        user, other = make_user(), make_user(email="other@example.com")
        memory = InMemorySessions(users={user.id: user, other.id: other})
        return Store(memory, memory, user, other)


@pytest.mark.contract(of=(PersonalTokenRepository, PersonalTokenReader))
class TestInMemoryPersonalTokens(PersonalTokenContract):
    @pytest.fixture
    def store(self) -> TokenStore:
        user, other = make_user(), make_user(email="other@example.com")
        memory = InMemoryPersonalTokens(users={user.id: user, other.id: other})
        return TokenStore(memory, memory, user, other)


@pytest.mark.contract(of=RotationRepository)
class TestInMemoryRotations(RotationContract):
    @pytest.fixture
    def store(self) -> RotationStore:
        user, other = make_user(), make_user(email="other@example.com")
        return RotationStore(InMemoryRotations(), user, other)


@pytest.mark.contract(of=PasswordService)
class TestReversingPasswordService(PasswordServiceContract):
    @pytest.fixture
    def service(self) -> PasswordService:
        return ReversingPasswordService()


@pytest.mark.contract(of=Cooldown)
class TestInMemoryCooldown(CooldownContract):
    @pytest.fixture
    def cooldown(self) -> Cooldown:
        return InMemoryCooldown()


@pytest.mark.contract(of=Addresses)
class TestInMemoryAddresses(AddressesContract):
    @pytest.fixture
    def addresses(self) -> Addresses:
        return InMemoryAddresses()
