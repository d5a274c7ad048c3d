"""The pool of an instance, as a round looks at it."""

from libs.contracts.words import Role
from services.matching.rules.feasibility import Pool
from services.matching.rules.pairing import Standing, standing_of

from .generator import Instance
from .people import NOW


def pool_of(instance: Instance) -> Pool:
    """Everybody, each side in the order of ids."""
    mentors, mentees = (list(instance.side(role)) for role in (Role.MENTOR, Role.MENTEE))
    return Pool(instance.program(), mentors, mentees, standing_in(instance))


def standing_in(instance: Instance) -> Standing:
    """What stands between the people at the moment of the instance."""
    return standing_of(
        instance.program(),
        now=NOW,
        in_force=instance.in_force(),
        former_pairs=instance.former_pairs(),
        exclusions=instance.exclusions(),
    )
