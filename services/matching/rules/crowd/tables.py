"""What a scan reads: arrays of the rows, which ask, and of the columns, which are indexed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.matching.rules.crowd.lists import Integers, Short


class Profiles(NamedTuple):
    """What the score of a pair needs to know of each person of a side, together in memory."""

    starts: Integers
    records: Short
    """Per person WANTED, WAITING, how many SKILLS, then from TRAITS on the traits, the skills and the goals."""
    waiting: Integers
    """The same as in the records."""
    traits: int
    """How many there are; that they differ counts as diversity."""


class Columns(NamedTuple):
    """The indexed side."""

    open: NDArray[np.uint64]
    """Who takes part and has a free place."""
    bitmaps: NDArray[np.uint64]
    """Sets of columns, one a row."""
    dense: Short
    """For each set its row in `bitmaps`, or -1 where its members are listed."""
    starts: Integers
    members: Short
    posting_starts: Integers
    """Blocks x terms, flat, and the end."""
    offsets: NDArray[np.uint16]
    """Columns that have the term, by their place in the block."""
    worths: NDArray[np.uint8]
    """What each adds to the bound, times the row's factor."""
    table: Short
    """Blocks x terms, flat: the row of `tables` that stands for the postings of a term that many have, or -1."""
    tables: NDArray[np.uint8]
    """The worth of each column of a block, 0 without the term."""
    bases: NDArray[np.uint16]
    """What the bound of each column begins with at no price."""
    shortest: int
    """The shortest waiting of all."""
    topics: int
    terms: int
    """Topics that columns teach, topics that they want to learn, and values of traits."""
    profiles: Profiles


class Asking(NamedTuple):
    """The other side."""

    open: NDArray[np.bool_]
    bitmaps: NDArray[np.uint64]
    """Sets of columns that fit a grade or a working week, one a row."""
    grades: Short
    """The bitmap of those whose grade fits, and of those whose hours do."""
    hours: Short
    needs_language: bool
    language_starts: Integers
    languages: Short
    """Sets of columns; one of them must hold the column."""
    apart_starts: Integers
    apart: Short
    """Sets of columns that the row must not meet."""
    named_starts: Integers
    named: Short
    """Columns that the row must not meet."""
    term_starts: Integers
    terms: Short
    factors: NDArray[np.uint16]
    wish_starts: Integers
    wishes: Short
    """Columns in their order."""
    wished: Integers
    shares: Integers
    """Of what the row learns, the column learns, preference, diversity, waiting."""
    profiles: Profiles


class Scratch(NamedTuple):
    """What one thread works in; clean between rows."""

    bits: NDArray[np.uint64]
    """Feasible columns, for as many rows as are scanned together."""
    bases: NDArray[np.uint16]
    """What the bound of each column begins with, the same for all rows; full blocks."""
    bounds: NDArray[np.uint16]
    """One per column of a block."""
    goals: Short
    """The row's priorities by topic."""
    skills: Short
    parts: Integers
