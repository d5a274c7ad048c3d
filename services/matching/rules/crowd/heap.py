"""The best few so far, as a heap with the worst on top: utilities, scores and columns in three arrays."""

from services.matching.rules.compiled import compiled
from services.matching.rules.crowd.lists import Integers, Short


@compiled
def worse(one: int, other: int, utilities: Integers, found: Short) -> bool:
    """The order of the heap: the worst first, of equal ones the last column."""
    if utilities[one] != utilities[other]:
        return bool(utilities[one] < utilities[other])
    return bool(found[one] > found[other])


@compiled
def sink(place: int, size: int, utilities: Integers, scores: Integers, found: Short) -> None:
    """Restore the heap below a place."""
    while True:
        least = place
        for child in (2 * place + 1, 2 * place + 2):
            if child < size and worse(child, least, utilities, found):
                least = child
        if least == place:
            return
        swap(place, least, utilities, scores, found)
        place = least


@compiled
def rise(place: int, utilities: Integers, scores: Integers, found: Short) -> None:
    """Restore the heap above a place."""
    while place > 0 and worse(place, (place - 1) >> 1, utilities, found):
        swap(place, (place - 1) >> 1, utilities, scores, found)
        place = (place - 1) >> 1


@compiled
def swap(one: int, other: int, utilities: Integers, scores: Integers, found: Short) -> None:
    """Change places."""
    utilities[one], utilities[other] = utilities[other], utilities[one]
    scores[one], scores[other] = scores[other], scores[one]
    found[one], found[other] = found[other], found[one]
