"""`python -m benchmarks.orlib FILE...`: assignment problems of J. E. Beasley's OR-Library, solved by `best_pairs`.

A file holds whole numbers between any white space: n, and then n x n costs row by row (assign100 to assign800), or a
triple `i j cost` for each allowed pair, counted from 1 (assignp800 to assignp5000). The cost of pairing everybody is to
be lowest. Prints `file size optimum upper_bound seconds` for each file; the bound is in costs too, so it equals the
optimum, and the seconds are those of solving. Exit code 2 for a file that is no such problem.
"""

import sys
from pathlib import Path
from time import perf_counter
from typing import Annotated, TypeAlias

import numpy as np
import typer
from numpy.typing import NDArray
from scipy.sparse import coo_array

from services.matching.rules.assignment import best_pairs

Numbers: TypeAlias = NDArray[np.int64]


class BadFile(Exception):
    """What is wrong with a file, and what to do about it."""


def numbers_of(path: Path) -> Numbers:
    """All whole numbers of a file."""
    try:
        words = path.read_text(encoding="ascii").split()
    except OSError as error:
        raise BadFile(f"cannot be read ({error.strerror}): give the path of an assignment file") from error
    except UnicodeDecodeError as error:
        raise BadFile("is no text: unpack it if it is an archive") from error
    try:
        return np.array([int(word) for word in words], dtype=np.int64)
    except ValueError as error:
        raise BadFile(f"holds more than whole numbers ({error}): scale fractions, take words out") from error
    except OverflowError as error:
        raise BadFile("holds a number of more than 63 bits: divide the costs") from error


def costs_of(path: Path) -> tuple[int, Numbers, Numbers, Numbers]:
    """How many are to be paired, and row, column and cost of each allowed pair, counted from 0."""
    numbers = numbers_of(path)
    if len(numbers) == 0 or numbers[0] < 1:
        raise BadFile("does not begin with how many are to be paired: put n in front of the costs")
    size, rest = int(numbers[0]), numbers[1:]
    if len(rest) == size * size and not path.name.startswith("assignp"):
        cell = np.arange(size * size)
        return size, cell // size, cell % size, rest
    if len(rest) % 3 or len(rest) == 0:
        raise BadFile(f"holds {len(rest)} numbers after n = {size}: give {size * size} costs or triples `i j cost`")
    row, column, cost = rest.reshape(-1, 3).T
    if row.min() < 1 or column.min() < 1 or max(row.max(), column.max()) > size:
        raise BadFile(f"names somebody outside 1 to {size}: give {size * size} costs, or triples counted from 1")
    return size, *_cheapest(row - 1, column - 1, cost)


def _cheapest(row: Numbers, column: Numbers, cost: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Without the dearer of pairs that are given twice."""
    order = np.lexsort((cost, column, row))
    row, column, cost = row[order], column[order], cost[order]
    new = np.append(True, (row[1:] != row[:-1]) | (column[1:] != column[:-1]))
    return row[new], column[new], cost[new]


def solve(path: Path) -> tuple[int, int, int, float]:
    """How many are paired, the lowest cost, its bound, and the seconds it took."""
    size, row, column, cost = costs_of(path)
    dearest = int(cost.max())
    if dearest - int(cost.min()) >= 2**63:
        raise BadFile("holds costs further apart than 63 bits: divide them")
    started = perf_counter()
    best = best_pairs(coo_array((dearest - cost, (row, column)), shape=(size, size)), 1, 1, "participation")
    seconds = perf_counter() - started
    if len(best.mentors) < size:
        raise BadFile(f"lets only {len(best.mentors)} of {size} be paired: allow more pairs")
    return size, size * dearest - best.value, size * dearest - best.upper_bound, seconds


def main(files: Annotated[list[Path], typer.Argument(metavar="FILE...")]) -> None:
    """Solve assignment problems of the OR-Library."""
    bad = False
    for path in files:
        try:
            size, cost, bound, seconds = solve(path)
        except BadFile as error:
            bad = True
            print(f"{path} {error}", file=sys.stderr)
        else:
            print(f"{path} {size} {cost} {bound} {seconds:.3f}", flush=True)
    if bad:
        raise typer.Exit(2)


if __name__ == "__main__":
    typer.run(main)
