"""Files of operators, however broken: an exit code, a place, a reason and a remedy, and never a traceback."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import example, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from libs.ops import enrol_command
from libs.ops.app import app
from tests.doors.drawn import many
from tests.doors.files import ANY, BY, ROWS, SECRET, changed, dumped, tables, torn
from tests.ops.files import Listener
from tests.ops.service import serving
from tests.wishes import PROGRAM

SPRING = {"program_id": "spring"} | PROGRAM
Run = Callable[..., Result]


@pytest.fixture
def enrol(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """`viceversa enrol` on files with this content. What it would say on the topic is heard by a list."""
    hr = Listener()

    @contextmanager
    def heard(*_: Any) -> Iterator[Any]:
        yield hr

    monkeypatch.setattr(Listener, "say", Listener._say, raising=False)
    monkeypatch.setattr(enrol_command, "read_back", lambda *_: {})
    monkeypatch.setattr(enrol_command, "speaking", heard)
    monkeypatch.setenv("VICEVERSA_KAFKA", "nowhere:1")
    rows, by = tmp_path / "people.csv", tmp_path / "map.yaml"

    def run(content: bytes, mapping: bytes, *words: str) -> Result:
        rows.write_bytes(content)
        by.write_bytes(mapping)
        return CliRunner().invoke(app, ["enrol", str(rows), "--program", "spring", "--map", str(by), *words])

    return run


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    """`viceversa program publish` of a file with this content, to a service that takes everything."""
    file = tmp_path / "program.yaml"
    with serving() as service:
        monkeypatch.setenv("VICEVERSA_MATCHING", service.url)
        monkeypatch.setattr(type(service), "answer", lambda *_: (200, {"revision": 1}))

        def run(content: bytes) -> Result:
            file.write_bytes(content)
            return CliRunner().invoke(app, ["program", "publish", str(file)])

        yield run


def told(result: Result) -> str:
    """All that the operator reads. It ended as documented, and says where, why and what to do next."""
    text = result.output
    assert isinstance(result.exception, SystemExit | None), repr(result.exception)
    assert result.exit_code in (0, 1, 2), text
    assert "Traceback" not in text
    assert ".py" not in text
    if result.exit_code == 2:
        assert "error: " in text
        assert "next: " in text
    return text


ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "cp037", "utf-7"])


@many(250)
@given(content=st.binary(max_size=300) | torn(ROWS.encode()) | ENCODINGS.map(ROWS.encode))
@example(content=b"\x00" * 5_000)
@example(content=ROWS.encode() + b"\xff\xfe\xfd")
@example(content=ROWS.encode().replace(b"Ada King", b"x" * 2_000_000))
@example(content=ROWS.encode() + b"\n" * 10_000)
@example(content=(ROWS.splitlines()[0] * 50).encode())
def test_any_bytes_as_an_export(enrol: Run, content: bytes) -> None:
    text = told(enrol(content, dumped(BY)))
    assert SECRET not in text


@many(200)
@given(table=tables(), by=st.sampled_from(["name", "id"]), absent=st.sampled_from(["top", "refuse"]))
def test_any_cells_in_an_export(enrol: Run, table: str, by: str, absent: str) -> None:
    mapping = BY | {"managers": BY["managers"] | {"by": by, "absent": absent}}
    text = told(enrol(table.encode(errors="surrogatepass"), dumped(mapping), "--assume-consent"))
    if "refused" in text and not text.startswith("error"):
        assert "line\tparticipant_id\treason" in text or "0 refused" in text


@many(250)
@given(mapping=changed(BY).map(dumped) | torn(dumped(BY)) | st.binary(max_size=100) | ANY.map(dumped))
def test_any_mapping_file(enrol: Run, mapping: bytes) -> None:
    told(enrol(ROWS.encode(), mapping))


@many(250)
@given(content=changed(SPRING).map(dumped) | torn(dumped(SPRING)) | st.binary(max_size=100) | ANY.map(dumped))
def test_any_programme_file(publish: Run, content: bytes) -> None:
    told(publish(content))


BOMB = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))])
YAML = {
    "aliases that double forty times": BOMB,
    "aliases in fields": BOMB + "\nprogram_id: *a39\nname: *a39\npolicy: *a39\nsource: *a39\ncolumns: *a39\n",
    "merges that double": "a: &a {x: 1}\nb: &b {<<: [*a, *a]}\npolicy: {<<: [*b, *b]}",
    "an alias of itself": "policy: &a [*a]\ncolumns: &b {x: *b}",
    "ten thousand levels": "policy: " + "[" * 10_000,
    "ten thousand maps": "policy: " + "{a: " * 10_000,
    "a tag for code": "policy: !!python/object/apply:os.system [echo]",
    "a date that is none": "name: 2026-99-99",
    "a time that is none": "name: 2026-01-01T99:00:00Z",
    "a number that is none": "name: !!int nine",
    "a float that is none": "name: !!float nine",
    "a number of ten thousand digits": "name: " + "9" * 10_000,
    "a sexagesimal": "name: 1:99:99",
    "binary": "name: !!binary '*'",
    "keys that are lists": "? [a]\n: b",
    "keys that are numbers": "1: 2\nnull: 3\ntrue: 4",
    "a key twice": "name: a\nname: b",
    "two documents": "a: 1\n---\nb: 2",
    "a control character": "name: \x07",
    "half a character": 'name: "\\ud800"',
    "half a character as a field": '"\\ud800": 1',
    "a list": "- a",
    "a word": "hello",
    "nothing": "",
    "tabs": "name:\n\t- a",
    "an open quote": 'name: "a',
    "a set": "name: !!set {a, b}",
}


@pytest.mark.parametrize("kind", YAML)
def test_yaml_that_is_meant_to_break_its_reader(enrol: Run, publish: Run, kind: str) -> None:
    for result in (publish(YAML[kind].encode()), enrol(ROWS.encode(), YAML[kind].encode())):
        assert (told(result), result.exit_code)[1] == 2
        assert len(result.output) < 5_000


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("constants", {"consent": 7}, "consent"),
        ("constants", {"consent": {}}, "consent"),
        ("constants", {"enrolled_at": "0001-01-01T00:00:00+14:00"}, "enrolled_at"),
        ("templates", {"email": "{name:>99999999999}"}, "templates"),
        ("templates", {"email": "{name!x}"}, "templates"),
        ("encoding", "base64", "encoding"),
        ("encoding", "undefined", "encoding"),
        ("delimiter", '"', "delimiter"),
        ("delimiter", "\n", "delimiter"),
    ],
)
def test_a_mapping_that_cannot_work_names_the_field(enrol: Run, field: str, value: Any, word: str) -> None:
    mapping = BY | {field: value}
    if field == "constants":
        mapping |= {"constants": BY["constants"] | value, "columns": BY["columns"] | {}}
        mapping["columns"].pop("consent")
    assert word in told(enrol(ROWS.encode(), dumped(mapping)))


def test_a_plain_yes_in_yaml_is_a_consent(enrol: Run) -> None:
    columns = {field: column for field, column in BY["columns"].items() if field != "consent"}
    mapping = BY | {"columns": columns, "constants": BY["constants"] | {"consent": True}}
    assert enrol(ROWS.encode(), dumped(mapping)).exit_code == 0


def test_an_export_without_a_header_shows_nobody(enrol: Run) -> None:
    told_of = told(enrol("\n".join(ROWS.splitlines()[1:]).encode(), dumped(BY)))
    assert "line 1 has no column" in told_of
    assert "Grace" not in told_of


def test_reasons_give_the_line_and_never_the_cell(enrol: Run) -> None:
    broken = ROWS.replace(",9,", ",high,").replace("mentor,2", "boss,2")
    result = enrol(broken.encode(), dumped(BY))
    assert result.exit_code == 1
    assert "2\t1\tgrade: not a whole number" in result.output
    assert SECRET not in result.output


def test_a_refusal_of_a_service_comes_with_the_next_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "program.yaml"
    file.write_bytes(dumped(SPRING))
    with serving() as service:
        monkeypatch.setenv("VICEVERSA_MATCHING", service.url)
        service.answers["PUT", "/programs/spring"] = (409, {"detail": "the programme is closed", "errors": None})
        result = CliRunner().invoke(app, ["program", "publish", str(file)])
    assert (result.exit_code, "next: " in result.output, "closed" in result.output) == (1, True, True)
    id = CliRunner().invoke(app, ["enrol", "people.csv", "--program", "a b", "--map", "map.yaml"])
    assert (id.exit_code, "next: " in id.output) == (2, True)
