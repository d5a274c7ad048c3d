"""The engine on a generated pool, warm, its time taken part by part."""

from dataclasses import asdict, dataclass, fields
from typing import Annotated, Final

import typer

from libs.contracts.parts import Rationale
from libs.contracts.words import Role
from services.matching.rules.crowd.crowd import Crowd, crowd_of
from services.matching.rules.crowd.rows import CrowdRows
from services.matching.rules.market.market import Side
from services.matching.rules.market.optimum import Optimum, optimum
from services.matching.rules.market.rows import Integers, Rows, Shortlist
from services.matching.rules.rationale import rationale_of
from services.matching.rules.score import FULL, Parts

from .clock import Clock, peak_megabytes
from .contest import Done, report
from .generator import Instance, Variant, generate
from .pool import pool_of, standing_in
from .verify import Claim, verify, verify_some

THREADS: Final = 2
_WARM_UP: Final = 1_000


class Timed:
    """Rows whose first scan of everybody counts as scoring, and every later one as part of the certificate."""

    def __init__(self, rows: Rows, clock: Clock) -> None:
        self._rows, self._clock, self._part = rows, clock, "scoring"
        self.row_places, self.column_places, self.highest = rows.row_places, rows.column_places, rows.highest

    def best(self, rows: Integers, prices: Integers, floors: Integers, count: int) -> Shortlist:
        with self._clock.part(self._part):
            found = self._rows.best(rows, prices, floors, count)
        self._part = "certificate"
        return found


@dataclass(frozen=True, slots=True)
class Solved:
    """The optimum, and the people whom its numbers mean."""

    optimum: Optimum
    rows: CrowdRows
    row_ids: tuple[str, ...]
    column_ids: tuple[str, ...]
    rows_are_mentees: bool

    def pairs(self) -> list[tuple[str, str]]:
        """(mentor, mentee) by id."""
        found = self.optimum
        rows = [self.row_ids[row] for row in found.rows.tolist()]
        columns = [self.column_ids[column] for column in found.columns.tolist()]
        return list(zip(columns, rows, strict=True) if self.rows_are_mentees else zip(rows, columns, strict=True))

    def prices(self) -> dict[str, int]:
        """What a place of each person costs, in scores raised by the market's shift."""
        market = self.optimum.market
        sides = ((self.row_ids, Side.ROW), (self.column_ids, Side.COLUMN))
        return {id: price for ids, side in sides for id, price in zip(ids, market.prices(side).tolist(), strict=True)}


def crowd_in(instance: Instance, clock: Clock) -> Crowd:
    """People to arrays; the making of the events is not counted."""
    mentors, mentees = (clock.unmeasured(instance.side(role)) for role in (Role.MENTOR, Role.MENTEE))
    standing = standing_in(instance)
    with clock.part("loading"):
        return crowd_of(instance.program(), mentors, mentees, standing)


def solve(crowd: Crowd, clock: Clock) -> Solved:
    """Index, scan, solve and prove, on as many threads as the rivals have."""
    rows_are_mentees = len(crowd.mentee_ids) <= len(crowd.mentor_ids)
    with clock.part("scoring"):
        rows = CrowdRows(crowd, Role.MENTEE if rows_are_mentees else Role.MENTOR, THREADS)
    with clock.part("solving"):
        found = optimum(Timed(rows, clock), crowd.program.policy.objective)
    sides = (crowd.mentee_ids, crowd.mentor_ids) if rows_are_mentees else (crowd.mentor_ids, crowd.mentee_ids)
    return Solved(found, rows, *sides, rows_are_mentees)


def explain(instance: Instance, solved: Solved, clock: Clock) -> list[Rationale]:
    """The rationale of every pair, in the order of the pairs."""
    pairs, program, standing = solved.pairs(), instance.program(), standing_in(instance)
    matched = {person for two in pairs for person in two}
    people = {str(one.participant_id): one for one in instance.participants() if one.participant_id in matched}
    with clock.part("rationale"):
        parts, _ = solved.rows.parts(solved.optimum.rows, solved.optimum.columns)
        names = [part.name for part in fields(Parts)]
        return [
            rationale_of(program, people[mentor], people[mentee], standing, dict(zip(names, its, strict=True)))
            for (mentor, mentee), its in zip(pairs, (parts / FULL).tolist(), strict=True)
        ]


def main(
    people: int,
    variant: Variant,
    seed: int,
    verified: Annotated[bool, typer.Option(help="Judge the proof over all pairs of people")] = False,
    mentees: Annotated[int, typer.Option(help="Judge it over the pairs of so many mentees")] = 0,
) -> None:
    solve(crowd_in(generate(_WARM_UP, variant), Clock()), Clock())
    instance, clock = generate(people, variant, seed), Clock()
    solved = solve(crowd_in(instance, clock), clock)
    found = solved.optimum
    explain(instance, solved, clock)
    done = Done(clock.seconds, peak_megabytes(), len(found.rows), found.value, found.upper_bound)
    claim = Claim(solved.pairs(), solved.prices(), found.market.shift)
    if verified:
        done.verdict = asdict(verify(pool_of(instance), claim))
    elif mentees:
        done.verdict = asdict(verify_some(pool_of(instance), claim, mentees))
    report(done)


if __name__ == "__main__":
    typer.run(main)
