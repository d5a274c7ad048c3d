"""Decisions that must collide although neither writes what the other reads: both write what they decided on."""

from services.matching.store.people import Program
from tests.matching.rules_people import NOW
from tests.matching.world import ADA, GRACE, program_with, proposal


def test_pairs_made_collide_with_a_programme_that_closes() -> None:
    world = program_with(ADA, GRACE)
    before = world.document(Program, "2026").version

    world.when(proposal(("ada", "grace")), at=NOW)

    assert world.document(Program, "2026").version == before + 1
