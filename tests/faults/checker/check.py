"""The table of checks. A new promise adds its line.

The evidence is of a company in which nothing moves any more: all that must come in the end is asked for.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from tests.faults.checker import dead_letters, facts, leftovers, mails, pairs, rounds, sessions, state
from tests.faults.checker.evidence import Evidence
from tests.faults.checker.story import Story, story_of
from tests.faults.checker.violations import Violation

Check = Callable[[Story], Iterator[Violation]]

CHECKS: Final[Mapping[str, Check]] = {
    "ends": leftovers.no_topic_hides_its_end,
    "readable": facts.each_fact_is_readable,
    "ids": facts.each_id_stands_once,
    "numbers": facts.each_number_was_said_once,
    "order": facts.each_key_is_in_order,
    "produced": facts.all_that_was_produced_is_there,
    "accepted": facts.all_that_was_accepted_was_said,
    "said": facts.all_that_documents_said_is_there,
    "pairs once": pairs.each_pair_was_made_once,
    "pairs of people": pairs.each_pair_has_its_people,
    "places": pairs.nobody_has_more_pairs_than_places,
    "ends of pairs": pairs.pairs_end_when_they_must,
    "ends of rounds": rounds.each_round_ends,
    "pairs of rounds": rounds.each_round_made_what_was_said,
    "sessions of pairs": sessions.each_session_has_its_pair,
    "revisions": sessions.each_revision_was_said_once,
    "series": sessions.each_series_goes_on_one_by_one,
    "meetings": sessions.each_pair_meets,
    "cancelled": sessions.pairs_that_ended_meet_no_more,
    "bookings": sessions.nobody_is_booked_twice,
    "results": mails.each_notice_has_one_result,
    "told once": mails.nobody_is_told_twice_of_a_fact,
    "told of": mails.each_notice_tells_of_a_fact,
    "mails taken": mails.each_sent_mail_was_taken,
    "mails explained": mails.each_mail_has_its_fact,
    "mails once": mails.each_mail_was_sent_once,
    "notices": mails.everybody_concerned_has_a_notice,
    "reasons": dead_letters.each_dead_letter_has_its_reason,
    "poison": dead_letters.each_poison_was_parked,
    "dead letters once": dead_letters.each_dead_letter_stands_once,
    "pages": leftovers.no_page_waits,
    "due work": leftovers.no_due_work_waits,
    "work of notices": leftovers.each_planned_notice_has_its_work,
    "work of meetings": leftovers.each_planned_meeting_has_its_work,
    "work of programmes": leftovers.each_rolling_programme_has_its_work,
    "state of pairs": state.matching_knows_its_pairs,
    "state of partners": state.matching_knows_who_is_paired,
    "state of series": state.scheduling_knows_its_pairs,
    "state of sessions": state.sessions_are_as_last_said,
    "state of endings": state.notifications_knows_which_pairs_ended,
    "state of people": state.people_are_as_last_enrolled,
    "state of the erased": state.who_was_erased_is_forgotten,
    "state of programmes": state.programs_are_as_last_published,
    "state of diaries": state.diaries_have_what_is_planned,
    "state of notices": state.notices_are_as_last_said,
}


def check(evidence: Evidence) -> list[Violation]:
    """Every violation that the evidence shows; none where every promise was kept."""
    story = story_of(evidence)
    return [violation for each in CHECKS.values() for violation in each(story)]
