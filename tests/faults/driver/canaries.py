"""Couples that are enrolled for one purpose: to see how long it takes until both are told when they meet."""

import time
from dataclasses import dataclass
from random import Random

from tests.faults.driver.listener import Listener
from tests.faults.driver.speaker import Speaker
from tests.faults.driver.town import CANARY, Town, profile

LOOK_SECONDS = 0.05


@dataclass(slots=True)
class Canaries:
    """Each has grades that nobody else has, so that the two are paired with each other."""

    speaker: Speaker
    listener: Listener
    town: Town
    flown: int = 0

    def fly(self, within: float) -> float | None:
        """Seconds from the enrolment until both have mail about their meeting; None if that takes too long."""
        number, self.flown = self.flown, self.flown + 1
        two = [
            profile(CANARY, f"{name}-canary-{number}", role, grade, self.town.moment())
            for name, role, grade in (("ada", "mentor", 3 * number), ("grace", "mentee", 3 * number + 1))
        ]
        began = time.monotonic()
        for person in two:
            self.speaker.say(self.town.say(person))
        while time.monotonic() < began + within:
            self.speaker.poll()
            if all(self.listener.invited[person.key] for person in two):
                return time.monotonic() - began
            time.sleep(LOOK_SECONDS)
        return None


def canaries(speaker: Speaker, listener: Listener, seed: int) -> Canaries:
    return Canaries(speaker, listener, Town(Random(f"{seed} canaries")))
