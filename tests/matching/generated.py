"""Rounds over generated companies."""

from collections.abc import Iterable
from typing import Any

from benchmarks.matching.generator import NOW, Instance
from libs.contracts.events import ParticipantEnrolled
from services.matching.rules.round import RoundPlan, plan_round


def planned_in(instance: Instance, people: Iterable[ParticipantEnrolled] | None = None, **asked: Any) -> RoundPlan:
    """A round over all of its people, unless others are given, with all that it knows of them."""
    return plan_round(
        instance.program(),
        instance.participants() if people is None else people,
        now=NOW,
        in_force=instance.in_force(),
        former_pairs=instance.former_pairs(),
        exclusions=instance.exclusions(),
        **asked,
    )
