import csv
import io
from collections import Counter

import pytest

from deploy.local.people import company, write
from libs.ops.mapping import Mapping
from libs.ops.yaml_file import load
from tests.ops.files import Listener


def people(folder, count=300, seed=7):
    path = folder / "people.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        write(file, count, seed)
    return path


def test_the_same_seed_gives_the_same_company():
    one, same, other = io.StringIO(), io.StringIO(), io.StringIO()

    write(one, 50, 7)
    write(same, 50, 7)
    write(other, 50, 8)

    assert one.getvalue() == same.getvalue() != other.getvalue()


@pytest.mark.parametrize("count", [10, 57, 300])
def test_everybody_can_be_enrolled_with_the_demo_mapping(tmp_path, request, count):
    hr = Listener()

    report = hr.run(people(tmp_path, count), load(request.config.rootpath / "deploy/mappings/demo.yaml", Mapping))

    assert (len(hr.said), report.refusals) == (count, [])
    assert max(len(event.manager_ids) for event in hr.said) == 4
    assert {event.manager_ids[-1] for event in hr.said if event.manager_ids} == {"e00001"}
    assert all(event.email.endswith(".invalid") for event in hr.said)


def test_there_are_more_mentors_than_mentees_and_few_skills_are_popular():
    rows = list(company(300, 7))
    skills = Counter(item.split(":")[0] for row in rows for item in row["expertise"].split(";"))

    assert Counter(row["role"] for row in rows).most_common(1)[0][0] == "mentor"
    assert skills["generative-ai"] > 4 * skills["accessibility"]
    assert len({row["time_zone"] for row in rows}) > 5


def test_names_are_written_in_full(tmp_path):
    rows = list(csv.DictReader(people(tmp_path).open(encoding="utf-8")))

    assert all(len(row["name"].split()) == 2 for row in rows)
