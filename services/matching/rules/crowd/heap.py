"""The best few columns so far, as a heap with the worst on top: utilities, scores and columns in three arrays."""

from services.matching.rules.compiled import compiled_in_place
from services.matching.rules.crowd.lists import Integers, Short


@compiled_in_place
def before(one: int, other: int, row: int) -> bool:
    """Which of two equal columns the row prefers: others than its neighbours, or all were told of the same few."""
    turn = (2 * row + 1) * 2654435761
    return bool(((one + 1) * turn) & 0xFFFFFFFF < ((other + 1) * turn) & 0xFFFFFFFF)


@compiled_in_place
def worse(one: int, other: int, row: int, utilities: Integers, found: Short) -> bool:
    """The order of the heap."""
    if utilities[one] != utilities[other]:
        return bool(utilities[one] < utilities[other])
    return before(found[other], found[one], row)


@compiled_in_place
def swap(one: int, other: int, utilities: Integers, scores: Integers, found: Short) -> None:
    """Change places."""
    utilities[one], utilities[other] = utilities[other], utilities[one]
    scores[one], scores[other] = scores[other], scores[one]
    found[one], found[other] = found[other], found[one]


@compiled_in_place
def sink(size: int, row: int, utilities: Integers, scores: Integers, found: Short) -> None:
    """Restore the heap after its top changed."""
    place = 0
    while True:
        least, child = place, 2 * place + 1
        if child < size and worse(child, least, row, utilities, found):
            least = child
        if child + 1 < size and worse(child + 1, least, row, utilities, found):
            least = child + 1
        if least == place:
            return
        swap(place, least, utilities, scores, found)
        place = least


@compiled_in_place
def rise(place: int, row: int, utilities: Integers, scores: Integers, found: Short) -> None:
    """Restore the heap after its last place was filled."""
    while place > 0 and worse(place, (place - 1) >> 1, row, utilities, found):
        swap(place, (place - 1) >> 1, utilities, scores, found)
        place = (place - 1) >> 1


@compiled_in_place
def unfold(size: int, row: int, utilities: Integers, scores: Integers, found: Short) -> None:
    """Turn the heap into a list, best first."""
    for last in range(size - 1, 0, -1):
        swap(0, last, utilities, scores, found)
        sink(last, row, utilities, scores, found)
