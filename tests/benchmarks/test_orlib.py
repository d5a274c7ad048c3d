"""Assignment files of the OR-Library are read in both layouts, solved, and refused in words when they are none."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from benchmarks.orlib import BadFile, solve


def run(*files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.orlib", *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def written(path: Path, *numbers: object) -> Path:
    """Numbers over lines of no meaning, as the library's files have them."""
    words = list(map(str, numbers))
    path.write_text(" " + "\n ".join(" ".join(words[at : at + 7]) for at in range(0, len(words), 7)) + "\n")
    return path


def test_costs_row_by_row_reach_the_lowest_total(tmp_path: Path) -> None:
    costs = np.random.default_rng(1).integers(1, 101, (60, 60))
    full = written(tmp_path / "assign60", 60, *costs.ravel())

    size, cost, bound, _ = solve(full)

    assert (size, cost, bound) == (60, *[int(costs[linear_sum_assignment(costs)].sum())] * 2)


def test_triples_allow_only_the_pairs_they_name_and_the_cheaper_of_two(tmp_path: Path) -> None:
    costs = np.random.default_rng(2).integers(1, 101, (40, 40))
    allowed = np.random.default_rng(3).random((40, 40)) < 0.2
    np.fill_diagonal(allowed, True)
    triples = [(i + 1, j + 1, costs[i, j]) for i, j in np.argwhere(allowed)]
    dearer = [(i, j, cost + 5) for i, j, cost in triples[:50]]
    sparse = written(tmp_path / "assignp40", 40, *np.ravel(dearer[:25] + triples + dearer[25:]))

    size, cost, bound, _ = solve(sparse)

    best = np.where(allowed, costs, 10**6)
    assert (size, cost, bound) == (40, *[int(best[linear_sum_assignment(best)].sum())] * 2)


def test_costs_below_zero_count_as_they_stand(tmp_path: Path) -> None:
    assert solve(written(tmp_path / "gains", 2, -5, 1, 3, 2))[1:3] == (-3, -3)


def test_each_file_gets_a_line_of_its_name_size_optimum_bound_and_seconds(tmp_path: Path) -> None:
    one = written(tmp_path / "one", 1, 7)
    two = written(tmp_path / "two", 2, 1, 9, 9, 2)

    answer = run(one, two)

    lines = [line.split() for line in answer.stdout.splitlines()]
    assert [line[:4] for line in lines] == [[str(one), "1", "7", "7"], [str(two), "2", "3", "3"]]
    assert all(float(line[4]) >= 0 for line in lines)
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("", "put n in front"),
        ("0", "put n in front"),
        ("3 1 2", "give 9 costs"),
        ("2", "give 4 costs"),
        ("2 1 x 3 4", "take words out"),
        ("2 1.5 2 3 4", "scale fractions"),
        ("2 1 3 5", "counted from 1"),
        ("2 0 1 5", "counted from 1"),
        ("2 1 1 5 2 1 5", "allow more pairs"),
        (f"1 {2**64}", "divide the costs"),
        (f"2 {2**62} 1 1 -{2**63}", "divide them"),
        ("1 \u00bd", "unpack it"),
    ],
)
def test_a_file_that_is_no_assignment_says_what_to_do(tmp_path: Path, text: str, remedy: str) -> None:
    bad = tmp_path / "bad"
    bad.write_text(text)
    with pytest.raises(BadFile, match=remedy):
        solve(bad)


def test_a_bad_file_is_named_and_the_others_are_still_solved(tmp_path: Path) -> None:
    bad, good = written(tmp_path / "bad", 3, 1), written(tmp_path / "good", 1, 7)

    answer = run(bad, tmp_path / "missing", good)

    assert answer.returncode == 2
    assert [line.split()[0] for line in answer.stdout.splitlines()] == [str(good)]
    assert f"{bad} holds 1 numbers" in answer.stderr
    assert f"{tmp_path / 'missing'} cannot be read" in answer.stderr
