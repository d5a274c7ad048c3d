"""The policy of a programme: what its matching, scheduling and notifications go by."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from .fields import Email, EndOfDay, Grade, Language, Line, OrElse, Part, StartOfDay, TimeZone
from .words import Difference, Mode, Objective

Weight = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Capacity = Annotated[int, Field(ge=1, le=1000)]


class Weights(Part):
    """How much each part counts in the score. Only their ratios matter."""

    learning: Weight
    """The mentor's expertise against the mentee's goals."""
    reciprocal: Weight
    """The mentee's expertise against the mentor's goals."""
    preference: Weight
    diversity: Weight
    waiting: Weight

    @model_validator(mode="after")
    def _count(self) -> Self:
        if not self.learning + self.reciprocal + self.preference + self.diversity + self.waiting:
            raise ValueError("at least one weight must be above 0")
        return self


class QuietHours(Part):
    """Local hours in which nobody is told what can wait. They may pass midnight: 20:00 to 07:00."""

    start: StartOfDay
    end: EndOfDay

    @model_validator(mode="after")
    def _have_a_length(self) -> Self:
        if self.start == self.end:
            raise ValueError("start and end must differ")
        return self


class Organizer(Part):
    """Who invites to the sessions."""

    name: Annotated[Line, Field(repr=False)]
    email: Annotated[Email, Field(repr=False)]


class Policy(Part):
    """The whole policy of a programme."""

    min_grade_gap: Annotated[Grade, Field(ge=0)]
    """The mentee's grade is at least this much above the mentor's."""
    max_grade_gap: Annotated[Grade, Field(ge=0)] | None = None
    """Without it the gap has no upper limit."""
    mentor_capacity: Capacity
    """Pairs in force per mentor who names no capacity."""
    mentee_capacity: Capacity
    require_shared_language: bool
    min_overlap_minutes_per_week: Annotated[int, Field(ge=0, le=7 * 24 * 60)]
    different_unit: Difference
    different_function: Difference
    cooldown_days: Annotated[int, Field(ge=0, le=36_500)]
    """For so long a former pair is not paired again."""
    objective: Objective
    mode: Mode
    weights: Weights
    cadence_days: Annotated[int, Field(ge=1, le=366)]
    session_minutes: Annotated[int, Field(ge=1, le=24 * 60)]
    sessions_per_pair: Annotated[int, Field(ge=1, le=1000)]
    grace_minutes: Annotated[int, Field(ge=0, le=366 * 24 * 60), OrElse(24 * 60)] = 24 * 60
    """After its end a session waits so long for a word that it was held; a day unless said otherwise."""
    reminders: Annotated[tuple[Annotated[int, Field(ge=0, le=366 * 24 * 60)], ...], Field(max_length=20)]
    """Minutes before the start of a session."""
    time_zone: Annotated[TimeZone, OrElse("UTC")] = "UTC"
    """Zone of the reference week in which working hours are compared."""
    default_locale: Language
    quiet_hours: QuietHours | None = None
    """Without them people are told at any hour."""
    organizer: Organizer | None = None
    """Without one the service's own sender invites."""
    office_email: Annotated[Email | None, Field(repr=False)] = None
    """Where warning signs go. Without it they are only listed."""

    @model_validator(mode="after")
    def _gaps_in_order(self) -> Self:
        if self.max_grade_gap is not None and self.max_grade_gap < self.min_grade_gap:
            raise ValueError("max_grade_gap must not be below min_grade_gap")
        return self
