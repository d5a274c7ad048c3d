"""The real HR export, when it is at hand."""

import json

import pytest

from libs.contracts.words import Role
from tests.ops.hr_export import FILE, MAPPING, active, reporting_lines, when_at_hand
from tests.ops.topics_read import committed

pytestmark = when_at_hand


@pytest.fixture
def enrolled(viceversa, cluster, prefix):
    result = viceversa("enrol", FILE, "--program", "hr", "--map", MAPPING, "--assume-consent", "--json")
    assert result.exit_code == 0, result.output
    events = [each.event for each in committed(cluster, prefix, "participant-enrolled")]
    return json.loads(result.stdout), {event.participant_id: event for event in events}


def test_every_active_employee_is_enrolled_with_the_true_reporting_line(enrolled):
    report, people = enrolled
    truth = reporting_lines()

    assert people.keys() == active()
    assert report["enrolled"] == len(people)
    assert report["left_out"] == len(truth) - len(people)
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
    result = viceversa("enrol", FILE, "--program", "hr", "--map", MAPPING, "--assume-consent", "--json")

    assert json.loads(result.stdout)["unchanged"] == len(enrolled[1])
    assert len(committed(cluster, prefix, "participant-enrolled")) == len(enrolled[1])
