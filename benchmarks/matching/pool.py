"""The pool of an instance, as a round looks at it."""

from libs.contracts.words import Role
from services.matching.rules.feasibility import Pool
from services.matching.rules.pairing import standing_of

from .generator import Instance
from .people import NOW


def pool_of(instance: Instance) -> Pool:
    """Mentors and mentees in the order of their ids, with all that stands between them at that moment."""
    program = instance.program()
    people = sorted(instance.participants(), key=lambda person: person.participant_id)
    standing = standing_of(
        program,
        now=NOW,
        in_force=instance.in_force(),
        former_pairs=instance.former_pairs(),
        exclusions=instance.exclusions(),
    )
    mentors, mentees = ([person for person in people if person.role is role] for role in (Role.MENTOR, Role.MENTEE))
    return Pool(program, mentors, mentees, standing)
