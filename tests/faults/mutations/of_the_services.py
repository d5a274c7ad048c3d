"""Mutations of handlers: what the three services promise on top of the chassis."""

from typing import Final

from tests.faults.mutations.mutation import Mutation

_MAKING = "services/matching/handlers/making.py"
_MATCHING, _NOTIFICATIONS = "tests/matching/test_handlers_pairs.py::", "tests/notifications/test_handlers.py::"

OF_THE_SERVICES: Final = {
    "plan-not-checked-again": Mutation(
        file=_MAKING,
        old="    return not refusals(",
        new="    return True or not refusals(",
        breaks="what was planned outside the transaction is checked inside it: nobody is in more pairs than allowed",
        caught_by=(f"{_MATCHING}test_capacity_is_checked_when_pairs_are_made_not_only_when_they_are_planned",),
        quick=True,
    ),
    "closing-not-guarded": Mutation(
        file=_MAKING,
        old="    yield program if pairs else peek(program)\n",
        new="    yield peek(program)\n",
        breaks="pairs made and a programme closed at the same time collide, so that no pair outlives its programme",
        caught_by=("tests/faults/test_decisions.py::test_pairs_made_collide_with_a_programme_that_closes",),
        quick=True,
    ),
    "diaries-only-peeked-at": Mutation(
        file="services/scheduling/handlers/planning.py",
        old="return [*map(Diary.by_id, keys), *(peek(",
        new="return [*(peek(Diary.by_id(key)) for key in keys), *(peek(",
        breaks="nobody is in two meetings at once",
        caught_by=(
            "tests/scheduling/test_handlers.py::"
            "test_two_pairs_of_one_person_never_meet_at_the_same_time_nor_on_one_day",
        ),
        quick=True,
    ),
    "older-profile-wins": Mutation(
        file="services/notifications/handlers/facts.py",
        old="event.revision > person.contact.revision:",
        new="event.revision != person.contact.revision:",
        breaks="the newest revision counts, whatever order the facts come in",
        caught_by=(f"{_NOTIFICATIONS}test_a_mail_goes_to_the_newest_address_whatever_order_the_profiles_came_in",),
        quick=True,
    ),
    "told-twice": Mutation(
        file="services/notifications/handlers/planning.py",
        old="    if kept.notice is not None:\n",
        new="    if kept.accepted_at is not None:\n",
        breaks="a fact that comes under two ids is told once",
        caught_by=(f"{_NOTIFICATIONS}test_both_sides_are_told_once_of_a_fact_that_comes_twice",),
        quick=True,
    ),
    "mail-repeated": Mutation(
        file="services/notifications/letters.py",
        old="    if kept.accepted_at and kept.is_open:\n",
        new="    if kept.accepted_at and not kept.is_open:\n",
        breaks="a mail that the server has is not sent again when only its result was lost",
        caught_by=(f"{_NOTIFICATIONS}test_a_mail_that_the_server_has_is_not_sent_again_when_its_result_was_lost",),
        quick=True,
    ),
}
