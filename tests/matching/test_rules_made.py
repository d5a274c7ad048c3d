"""A sequence that makes its items behaves as one that has them."""

import pytest

from services.matching.rules.made import Made


def test_an_item_is_made_each_time_it_is_asked_for_and_no_other_one_is() -> None:
    asked: list[int] = []
    squares = Made(1_000_000, lambda place: asked.append(place) or place * place)
    assert (squares[3], squares[-1], squares[3]) == (9, 999_999**2, 9)
    assert asked == [3, 999_999, 3]


def test_it_ends_and_is_cut_as_any_sequence() -> None:
    squares = Made(4, lambda place: place * place)
    assert (len(squares), list(squares), squares[1:3], 9 in squares) == (4, [0, 1, 4, 9], (1, 4), True)
    with pytest.raises(IndexError):
        squares[4]


def test_it_is_equal_to_what_has_equal_items() -> None:
    squares = Made(3, lambda place: place * place)
    assert squares == (0, 1, 4)
    assert squares == Made(3, lambda place: [0, 1, 4][place])
    assert squares != (0, 1, 5)
    assert squares != (0, 1)
    assert squares != 3
