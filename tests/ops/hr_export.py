"""The real HR export, read from the raw file in a way of its own: the oracle for who is above whom."""

import csv
import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
FILE = Path(os.environ.get("VICEVERSA_HR_EXPORT") or CHECKOUT.parent / "shared" / "data" / "hr-export.csv")
MAPPING = CHECKOUT / "deploy" / "mappings" / "hr-export.yaml"
when_at_hand = pytest.mark.skipif(
    not FILE.is_file(), reason="the HR export is not here: name it in VICEVERSA_HR_EXPORT"
)


def raw_rows() -> list[dict[str, str]]:
    return list(csv.DictReader(FILE.open(encoding="utf-8-sig", newline="")))


def words(name: str) -> frozenset[str]:
    """A name as the set of its words: no two people of this file share one."""
    return frozenset(name.replace(",", " ").replace(".", " ").lower().split())


def reporting_lines() -> dict[str, list[str]]:
    """For each employee the managers who are in the file, nearest first, then the name of the first who is not."""
    rows = raw_rows()
    by_words = {words(row["Employee_Name"]): row for row in rows}
    assert len(by_words) == len(rows)
    lines = {}
    for row in rows:
        line, manager = [], words(row["ManagerName"])
        while manager in by_words:
            line.append(by_words[manager]["EmpID"].strip())
            manager = words(by_words[manager]["ManagerName"])
        lines[row["EmpID"].strip()] = [*line, " ".join(sorted(manager))]
    return lines


def active() -> set[str]:
    """The ids of those who work there."""
    return {row["EmpID"].strip() for row in raw_rows() if row["EmploymentStatus"].strip() == "Active"}


def in_one_line(one: str, other: str, lines: dict[str, list[str]]) -> bool:
    """One is above the other at any depth, or both have the same direct manager."""
    return one in lines[other] or other in lines[one] or lines[one][0] == lines[other][0]
