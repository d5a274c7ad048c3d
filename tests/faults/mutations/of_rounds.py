"""Mutations of what rounds promise: nobody is paired twice, whoever dies or plans the same round again."""

from typing import Final

from tests.faults.mutations.mutation import Mutation

_HANDLERS, _PLANNING = "services/matching/handlers/rounds.py", "services/matching/plan_rounds.py"
_HANDLED, _STORED = "tests/matching/test_handlers_rounds.py::", "tests/matching/test_rounds.py::"

OF_ROUNDS: Final = {
    "late-attempt-counts": Mutation(
        file=_HANDLERS,
        old="    if round.state is not RoundState.PLANNING:\n        return\n    round.begin(",
        new="    round.begin(",
        breaks="of all attempts to plan a round one counts",
        caught_by=(f"{_HANDLED}test_the_first_attempt_that_is_stored_counts_and_a_later_one_changes_nothing",),
        quick=True,
    ),
    "sheet-handled-again": Mutation(
        file=_HANDLERS,
        old="    if round.state is not RoundState.WRITING:\n        return\n",
        new="",
        breaks="a sheet that comes again after its round makes nothing",
        caught_by=(f"{_HANDLED}test_a_sheet_that_comes_again_after_the_round_makes_nothing_again",),
        quick=True,
    ),
    "rounds-side-by-side": Mutation(
        file=_HANDLERS,
        old="    if program.round_id:\n        place",
        new="    if program.round_id and False:\n        place",
        breaks="one round of a programme runs at a time",
        caught_by=(f"{_HANDLED}test_one_round_of_a_programme_runs_at_a_time_and_the_next_one_is_told_which",),
        quick=True,
    ),
    "way-never-free": Mutation(
        file=_HANDLERS,
        old='        program.round_id = ""\n',
        new="        pass\n",
        breaks="after a round another one can be asked for",
        caught_by=(f"{_HANDLED}test_one_round_of_a_programme_runs_at_a_time_and_the_next_one_is_told_which",),
        quick=True,
    ),
    "running-attempts-swept": Mutation(
        file=_PLANNING,
        old='"round": {"$nin": rounds}',
        new='"round": {"$ne": ""}',
        breaks="a sweep leaves the attempts of running rounds alone",
        caught_by=(f"{_STORED}test_attempts_that_do_not_count_are_swept_and_those_of_running_rounds_stay",),
    ),
}
