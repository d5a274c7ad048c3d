"""A minimal service on the chassis: one document and one fact for each event. What it costs, the chassis costs."""

import asyncio
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import uvloop

from libs.chassis.documents import Document
from libs.chassis.garbage import collect_rarely
from libs.chassis.relay import Relay
from libs.chassis.run import Runtime, run
from libs.chassis.service import Service
from libs.chassis.settings import Settings
from libs.chassis.state import State
from libs.chassis.words import Facts, reads
from libs.contracts.events import ParticipantEnrolled, ParticipantWithdrawn


@dataclass(slots=True, kw_only=True)
class Profile(Document):
    """The newest profile of a person."""

    collection: ClassVar[str] = "profiles"

    profile: ParticipantEnrolled | None = None
    times: int = 0


@reads(lambda event: [Profile.by_id(event.key)])
def remember_and_tell(event: ParticipantEnrolled, state: State, now: datetime) -> Facts:
    profile = state[Profile, event.key]
    profile.profile = event
    profile.times += 1
    yield withdrawal(event, now)


def withdrawal(event: ParticipantEnrolled, now: datetime) -> ParticipantWithdrawn:
    """The fact of each event; which one is no matter."""
    return ParticipantWithdrawn(
        program_id=event.program_id,
        participant_id=event.participant_id,
        revision=event.revision,
        reason="benchmark",
        withdrawn_at=now,
    )


service = Service(
    name="minimal",
    keeps=[Profile],
    hears={ParticipantEnrolled: remember_and_tell},
    says={Profile: [ParticipantWithdrawn]},
)


async def intake_alone(settings: Settings) -> None:
    """The service without its relay: what the transaction costs by itself."""
    collect_rarely()
    runtime = Runtime(service, settings)
    runtime.relay = Silent(service.name, runtime.database, settings.kafka, settings.prefix, "nobody", runtime.metrics)
    await runtime.start()
    await asyncio.Event().wait()


class Silent(Relay):
    """Publishes nothing."""

    async def run(self) -> None:
        await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[1:] == ["intake-alone"]:
        uvloop.run(intake_alone(Settings()))
    else:
        run(service, Settings())
