import pytest
import yaml

from libs.contracts.examples import PROGRAM_PUBLISHED
from libs.ops import programs
from libs.ops.cells import Format, parse
from libs.ops.failures import Misused
from libs.ops.mapping import Mapping
from libs.ops.yaml_file import load
from tests.ops.files import MAPPING


def refused(tmp_path, text: str) -> str:
    path = tmp_path / "map.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Misused) as failure:
        load(path, Mapping)
    return str(failure.value)


def changed(**sections) -> str:
    return yaml.safe_dump(MAPPING | sections, sort_keys=False)


def test_the_example_is_a_mapping(tmp_path):
    (tmp_path / "map.yaml").write_text(changed(), encoding="utf-8")

    assert set(load(tmp_path / "map.yaml", Mapping).needed()) == {"id", "name", "role", "grade", "consent", "boss"}


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"colums": {}}, "colums: Extra inputs"),
        ({"source": "hr"}, "source: "),
        ({"columns": {"participant_id": "id"}}, "name: must come from a column"),
        ({"columns": {"participant_id": "id", "name": "n", "nmae": "n"}}, "no such field: nmae"),
        ({"constants": {"grade": "high"}}, "grade: not a whole number"),
        ({"constants": {"availability": "weekdays"}}, "availability: not written as"),
        ({"tables": [{"column": "p", "rows": {"CEO": {"rank": 1}}}]}, "no such field: rank"),
        ({"where": [{"column": "p"}]}, "say `is` or `is_not`"),
        ({"templates": {"email": "{mail}@x.invalid"}}, "email: only fields"),
        ({"encoding": "klingon"}, "no such encoding"),
        ({"managers": {"by": "rank", "column": "boss"}}, "managers.by: "),
    ],
)
def test_an_error_names_the_field(tmp_path, sections, words):
    assert words in refused(tmp_path, changed(**sections))


def test_an_error_names_the_line(tmp_path):
    text = "source: /hr\ncolumns:\n  participant_id: id\n  name: name\nmanagers:\n  by: rank\n  column: boss\n"

    assert "line 6, managers.by: " in refused(tmp_path, text)


def test_broken_yaml_is_told_with_its_line(tmp_path):
    assert "line 2" in refused(tmp_path, "source: /hr\n\tcolumns: {}\n")


def test_a_programme_with_a_misspelt_field_is_refused_with_its_line(tmp_path):
    data = PROGRAM_PUBLISHED.model_dump(mode="json", exclude={"revision"})
    data["policy"]["max_grade_gapp"] = 3
    path = tmp_path / "program.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")

    with pytest.raises(Misused, match=r"line \d+, policy.max_grade_gapp: there is no such field"):
        programs.read(path)


@pytest.mark.parametrize("name", ["demo", "hr-export"])
def test_the_programmes_and_mappings_in_the_repository_are_valid(name, request):
    deploy = request.config.rootpath / "deploy"

    assert programs.read(deploy / "programs" / f"{name}.yaml").policy.mode == "rolling"
    assert load(deploy / "mappings" / f"{name}.yaml", Mapping).managers


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        ("grade", " 7 ", 7),
        ("role", "Mentor", "mentor"),
        ("languages", "en; de-CH ;", ["en", "de-CH"]),
        ("expertise", "cloud:5; ai", [{"topic": "cloud", "level": 5}, {"topic": "ai", "level": 3}]),
        ("goals", "a:b:2", [{"topic": "a:b", "priority": 2}]),
        ("consent", "Yes", {"matching": True}),
        ("availability", "thu-fri 09:00-12:00", [
            {"day": "thu", "start": "09:00", "end": "12:00"},
            {"day": "fri", "start": "09:00", "end": "12:00"},
        ]),
        ("unavailable", "12/24/2026..12/31/2026", [{"start": "2026-12-24", "end": "2026-12-31"}]),
        ("enrolled_at", "07/05/2026", "2026-07-04T22:00:00+00:00"),
    ],
)  # fmt: skip
def test_cells_become_values(field, cell, value):
    assert parse(field, cell, Format(date="%m/%d/%Y", zone="Europe/Zurich")) == value


@pytest.mark.parametrize(
    ("field", "cell"),
    [("grade", "7.5"), ("consent", "maybe"), ("availability", "fri-mon 09:00-10:00"), ("enrolled_at", "yesterday")],
)
def test_other_cells_are_errors_that_hide_the_cell(field, cell):
    with pytest.raises(ValueError, match=r"^[^%]*$") as error:
        parse(field, cell, Format())
    assert cell not in str(error.value)
