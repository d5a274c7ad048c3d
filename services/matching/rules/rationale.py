"""Why two people were paired, in words that both of them may read."""

from collections.abc import Mapping
from datetime import timedelta

from libs.contracts.events import ParticipantEnrolled, ProgramPublished
from libs.contracts.parts import Rationale
from services.matching.rules.pairing import Standing, common_languages
from services.matching.rules.score import expertise_of, goals_of, topic_key
from services.matching.rules.working_hours import overlap_minutes


def rationale_of(
    program: ProgramPublished,
    mentor: ParticipantEnrolled,
    mentee: ParticipantEnrolled,
    standing: Standing,
    parts: Mapping[str, float],
    *,
    pinned: bool = False,
) -> Rationale:
    """What the two teach each other, how they can talk and when they can meet.

    A wish of one side alone stays private: only a mutual one is told.
    """
    return Rationale(
        shared_topics=_met_goals(mentor, mentee),
        reciprocal_topics=_met_goals(mentee, mentor),
        languages=common_languages(mentor, mentee)[:50],
        weekly_overlap_minutes=overlap_minutes(mentor, mentee, standing.week, program.policy.time_zone),
        notes=tuple(_notes(mentor, mentee, standing, parts, pinned)),
    )


def _met_goals(teacher: ParticipantEnrolled, learner: ParticipantEnrolled) -> tuple[str, ...]:
    """The learner's goals that the teacher knows about, most important first, in the learner's words."""
    known, wanted = expertise_of(teacher), goals_of(learner)
    words = {topic_key(goal.topic): goal.topic for goal in reversed(learner.goals)}
    met = [topic for topic in wanted if topic in known]
    return tuple(words[topic] for topic in sorted(met, key=lambda topic: (-wanted[topic], -known[topic], topic)))


def _notes(
    mentor: ParticipantEnrolled,
    mentee: ParticipantEnrolled,
    standing: Standing,
    parts: Mapping[str, float],
    pinned: bool,
) -> list[str]:
    two = frozenset((mentor.participant_id, mentee.participant_id))
    mutual = mentor.participant_id in mentee.preferred_ids and mentee.participant_id in mentor.preferred_ids
    waited = max((standing.now - person.enrolled_at) // timedelta(days=1) for person in (mentor, mentee))
    different = [name for name in ("unit", "function", "location") if getattr(mentor, name) != getattr(mentee, name)]
    learning, reciprocal = parts["learning"], parts["reciprocal"]
    notes = {
        f"The mentor's expertise meets {learning:.0%} of what the mentee wants to learn.": learning > 0,
        f"The mentee's expertise meets {reciprocal:.0%} of what the mentor wants to learn.": reciprocal > 0,
        "Both asked for each other.": mutual,
        f"They work in a different {', '.join(different)}.": bool(different),
        f"One of them has waited for {waited} days.": waited > 0,
        "The programme's office chose this pair.": pinned,
        "They were a pair before: the cool-down was loosened for this round.": two in standing.cooling,
    }
    return [note for note, is_true in notes.items() if is_true]
