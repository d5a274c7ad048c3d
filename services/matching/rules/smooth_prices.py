"""A quick guess at what a place of each person is worth, to know which pairs an optimum may need.

Sinkhorn's scaling (M. Cuturi, Sinkhorn Distances, 2013) under capacities as upper limits, from coarse to fine. The
guess only chooses where an exact method looks first.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from services.matching.rules.edges import Edges, Integers

Floats: TypeAlias = NDArray[np.float64]

# Shares of the highest score below which two scores count as nearly the same, and scalings for each of them
SMOOTHNESS = (0.1, 0.03, 0.01, 0.003)
SCALINGS = 30
_LARGEST_EXPONENT = 50
_SMALLEST = 1e-300


def smooth_prices(edges: Edges) -> tuple[Integers, Integers]:
    """Prices of a place per mentor and per mentee, near those of an optimum; O(edges) time and memory."""
    mentors, mentees = np.zeros(edges.shape[0]), np.zeros(edges.shape[1])
    for share in SMOOTHNESS:
        smoothness = share * max(edges.highest, 1)
        mentors, mentees = _scaled(edges, mentors, mentees, smoothness)
    return np.rint(mentors).astype(np.int64), np.rint(mentees).astype(np.int64)


def _scaled(edges: Edges, mentors: Floats, mentees: Floats, smoothness: float) -> tuple[Floats, Floats]:
    surplus = (edges.score - mentors[edges.mentor] - mentees[edges.mentee]) / smoothness
    ends = np.concatenate([[0], np.cumsum(np.bincount(edges.mentor, minlength=edges.shape[0]))])
    affinity = csr_array((np.exp(np.minimum(surplus, _LARGEST_EXPONENT)), edges.mentee, ends), shape=edges.shape)
    affinity_of_mentees = affinity.T.tocsr()
    # a factor that may not rise further keeps its price from falling below 0
    highest_mentor, highest_mentee = (np.exp(np.minimum(side / smoothness, 600)) for side in (mentors, mentees))
    mentor_factor, mentee_factor = np.ones(edges.shape[0]), np.ones(edges.shape[1])
    for _ in range(SCALINGS):
        demand = np.maximum(affinity @ mentee_factor, _SMALLEST)
        mentor_factor = np.minimum(edges.mentor_capacity / demand, highest_mentor)
        demand = np.maximum(affinity_of_mentees @ mentor_factor, _SMALLEST)
        mentee_factor = np.minimum(edges.mentee_capacity / demand, highest_mentee)
    return (
        mentors - smoothness * np.log(np.maximum(mentor_factor, _SMALLEST)),
        mentees - smoothness * np.log(np.maximum(mentee_factor, _SMALLEST)),
    )
