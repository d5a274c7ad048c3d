"""What the facts about pairs, sessions and messages are made of."""

from typing import Annotated

from pydantic import Field

from .fields import Comment, Languages, Line, Part, Stars, Text, Topics


class Rationale(Part):
    """Why two people were paired."""

    shared_topics: Topics
    """What the mentor can teach and the mentee wants to learn."""
    reciprocal_topics: Topics
    """What the mentee can teach and the mentor wants to learn."""
    languages: Languages
    weekly_overlap_minutes: Annotated[int, Field(ge=0, le=7 * 24 * 60)]
    notes: Annotated[tuple[Text, ...], Field(max_length=100)]


class Answer(Part):
    """What one side says about a meeting."""

    rating: Stars
    comment: Annotated[Comment | None, Field(repr=False)] = None


class Feedback(Part):
    """What the two sides said so far."""

    mentor: Answer | None = None
    mentee: Answer | None = None


class About(Part):
    """The event that a message tells of."""

    topic: Line
    event_id: Annotated[Line, Field(max_length=1024)]
