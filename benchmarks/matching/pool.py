"""The pool of an instance, as a round looks at it."""

from libs.contracts.words import Role
from services.matching.rules.feasibility import Pool
from services.matching.rules.pairing import standing_of

from .generator import Instance
from .people import NOW


def pool_of(instance: Instance) -> Pool:
    """Mentors and mentees in the order of their ids, with all that stands between them at that moment."""
    program = instance.program()
    standing = standing_of(
        program,
        now=NOW,
        in_force=instance.in_force(),
        former_pairs=instance.former_pairs(),
        exclusions=instance.exclusions(),
    )
    return Pool(program, list(instance.side(Role.MENTOR)), list(instance.side(Role.MENTEE)), standing)
