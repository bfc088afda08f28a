"""The races, one after the other, and what came out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final

from trials.races import duels, of_accounts, of_tokens, pairs
from trials.races.crew import Crew
from trials.races.ground import Broken, Round
from trials.races.orders import Duel, Order

ALL_ORDERS: Final = 50
"""From so many rounds on a duel is fought in every order."""
_ORDERS_PER_ROUND: Final = 2

Race = Callable[[Round], None] | Duel
RACES: Final[dict[str, Race]] = {
    "one-successor": of_tokens.one_successor,
    "one-successor-orders": Duel(duels.two_refreshes),
    "answers-lost": of_tokens.answers_lost,
    "replay": of_tokens.replay,
    "keys-rotated": of_tokens.keys_rotated,
    "refresh-revoke": of_tokens.against_revoke,
    "refresh-revoke-orders": Duel(duels.refresh_and_revoke),
    "replay-revoke-orders": Duel(duels.replay_and_revoke),
    "step-up-revoke": of_tokens.stepping_up_against_revoke,
    "step-up-revoke-orders": Duel(duels.step_up_and_revoke),
    "rotation": of_tokens.against_rotation,
    "refresh-rotation-orders": Duel(duels.refresh_and_rotation),
    "deactivation": of_tokens.against_deactivation,
    "refresh-deactivation-orders": Duel(duels.refresh_and_deactivate),
    "limit": of_accounts.limit,
    "two-logins-orders": Duel(duels.two_logins),
    "one-account": of_accounts.one_account,
    "verification": of_accounts.verification,
    "verification-orders": Duel(duels.two_verifications),
    "reset": of_accounts.reset,
    "verification-reset-orders": Duel(duels.verification_and_reset),
    "unlock": of_accounts.unlock,
    "wrong-passwords": of_accounts.wrong_passwords,
    "wrong-passwords-orders": Duel(duels.two_wrong_passwords),
    "password-change": of_accounts.password_change,
    "login-password-change-orders": Duel(duels.login_and_password_change),
    "reset-logins": of_accounts.reset_against_logins,
    "older-hash": of_accounts.older_hash,
    "any-two": pairs.any_two,
}


@dataclass(frozen=True)
class Outcome:
    """`broken` is a sentence, or None."""

    name: str
    rounds: int
    records: int
    seconds: float
    broken: str | None


@dataclass
class Runner:
    name: str
    rounds: int
    seed: str
    crew: Crew
    progress: Callable[[int, int], None]
    """Told how many rounds are done, and of how many."""
    records: int = 0

    def run(self) -> Outcome:
        """Up to the first round that breaks the promise."""
        began, race = time.monotonic(), RACES[self.name]
        done, broken = self._fight(race) if isinstance(race, Duel) else self._race(race)
        return Outcome(self.name, done, self.records, time.monotonic() - began, broken)

    def _race(self, race: Callable[[Round], None]) -> tuple[int, str | None]:
        for number in range(1, self.rounds + 1):
            if broken := self._broken(number, race):
                return number, f"in round {number}, {broken}"
            self.progress(number, self.rounds)
        return self.rounds, None

    def _fight(self, duel: Duel) -> tuple[int, str | None]:
        orders: list[Order] = []
        if broken := self._broken(0, lambda round_: orders.extend(duel.orders(round_))):
            return 0, f"one after the other, {broken}"
        if self.rounds < ALL_ORDERS:
            few = min(len(orders), self.rounds * _ORDERS_PER_ROUND)
            orders = Random(self.seed).sample(orders, few)  # noqa: S311  races can be repeated
        for number, order in enumerate(orders, 1):
            if broken := self._broken(number, partial(duel.fight, order=order)):
                return number, f"in order {order}, {broken}"
            self.progress(number, len(orders))
        return len(orders), None

    def _broken(self, number: int, play: Callable[[Round], None]) -> str | None:
        random = Random(f"{self.seed}/{self.name}/{number}")  # noqa: S311  see above
        each = Round(self.name, number, random, self.crew)
        try:
            play(each)
        except Broken as seen:
            return str(seen)
        finally:
            self.records += each.records
        return None
