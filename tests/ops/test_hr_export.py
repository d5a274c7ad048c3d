"""The real HR export, when it is at hand. The oracle reads the raw file in its own way."""

import csv
import json
import os
from pathlib import Path

import pytest

from libs.contracts.words import Role
from tests.ops.topics_read import committed

CHECKOUT = Path(__file__).resolve().parents[2]
FILE = Path(os.environ.get("VICEVERSA_HR_EXPORT") or CHECKOUT.parent / "shared" / "data" / "hr-export.csv")
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="the HR export is not here: name it in VICEVERSA_HR_EXPORT")


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


@pytest.fixture
def enrolled(viceversa, cluster, prefix):
    mapping = CHECKOUT / "deploy" / "mappings" / "hr-export.yaml"
    result = viceversa("enrol", FILE, "--program", "hr", "--map", mapping, "--assume-consent", "--json")
    assert result.exit_code == 0, result.output
    events = [each.event for each in committed(cluster, prefix, "participant-enrolled")]
    return json.loads(result.stdout), {event.participant_id: event for event in events}


def test_every_active_employee_is_enrolled_with_the_true_reporting_line(enrolled):
    report, people = enrolled
    active = {row["EmpID"].strip() for row in raw_rows() if row["EmploymentStatus"].strip() == "Active"}
    truth = reporting_lines()

    assert people.keys() == active
    assert report["enrolled"] == len(active)
    assert report["left_out"] == len(truth) - len(active)
    for id, person in people.items():
        assert list(person.manager_ids[:-1]) == truth[id][:-1]
        assert person.manager_ids[-1].startswith("mgr:")


def test_people_under_one_absent_manager_share_the_id_that_stands_for_the_manager(enrolled):
    people, truth = enrolled[1], reporting_lines()

    ids_of_names = {(truth[id][-1], person.manager_ids[-1]) for id, person in people.items()}

    assert len(ids_of_names) == len({name for name, _ in ids_of_names}) == len({id for _, id in ids_of_names})
    absent = [note for note in enrolled[0]["notes"] if "is in no row" in note]
    assert len(absent) == len(ids_of_names)


def test_the_manager_with_two_ids_is_told(enrolled):
    assert any("manager Michael Albert has 2 ids (22, 30)" in note for note in enrolled[0]["notes"])


def test_juniors_teach_and_leaders_learn_and_no_address_can_reach_anybody(enrolled):
    people = enrolled[1].values()
    mentors = [person for person in people if person.role is Role.MENTOR]
    mentees = [person for person in people if person.role is Role.MENTEE]

    assert max(person.grade for person in mentors) < min(person.grade for person in mentees)
    assert len(mentees) > 20
    assert all(person.expertise and person.goals for person in people)
    assert all(person.email.endswith(".invalid") for person in people)


def test_run_again_it_says_nothing(enrolled, viceversa, cluster, prefix):
    mapping = CHECKOUT / "deploy" / "mappings" / "hr-export.yaml"

    result = viceversa("enrol", FILE, "--program", "hr", "--map", mapping, "--assume-consent", "--json")

    assert json.loads(result.stdout)["unchanged"] == len(enrolled[1])
    assert len(committed(cluster, prefix, "participant-enrolled")) == len(enrolled[1])
