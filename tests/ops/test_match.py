"""`viceversa match` against a service that answers what a test gives it."""

import json

import pytest

from libs.ops import match_command
from libs.ops.failures import Misused
from libs.ops.pins import read
from tests.ops.service import serving

ROUNDS = "/programs/spring/rounds"
PAIR = {"mentor_id": "ada", "mentee_id": "grace", "score": 0.5, "made": True, "rationale": {"notes": ["Both want it."]}}
LEFT = {"participant_id": "mina", "role": "mentee", "reasons": {"language": 2}}


@pytest.fixture
def matching(viceversa, monkeypatch):
    """A round r1 that is done at the third look."""
    monkeypatch.setattr(match_command, "_PAUSE", 0.0)
    with serving() as found:
        monkeypatch.setenv("VICEVERSA_MATCHING", found.url)
        found.answers["POST", ROUNDS] = (202, shown("planning"))
        found.answers["GET", f"{ROUNDS}/r1"] = (200, shown("done"))
        found.listings[f"{ROUNDS}/r1/pairs"] = [PAIR] * 5
        found.listings[f"{ROUNDS}/r1/unmatched"] = [LEFT] * 3
        yield found


def shown(state, *, made=5, **more):
    progress = {"stage": None, "people": 13, "planned": 5, "written": 5, "made": made, "unmatched": 3}
    known = {"value": 2.5, "upper_bound": 2.5, "gap": 0.0, "refused_pins": [], "reasons": {"language": 3}}
    return {"round_id": "r1", "state": state, "dry_run": False, "failure": None, "progress": progress} | known | more


def test_a_round_is_asked_for_watched_and_told(viceversa, matching):
    result = viceversa("match", "spring", "--round", "r1", "--objective", "score", "--time-limit", "5")

    assert result.exit_code == 0, result.stderr
    method, path, body = matching.asked[0]
    assert (method, path, body) == (
        "POST",
        ROUNDS,
        {"round_id": "r1", "objective": "score", "dry_run": False, "pins": [], "time_limit_s": 5.0},
    )
    assert "ada\tgrace\t0.5\tTrue\tBoth want it." in result.stdout
    assert 'mina\tmentee\t{"language": 2}' in result.stdout
    assert "language\t3" in result.stdout
    assert "5 pairs planned, 5 made, 3 unmatched; value 2.500 of at most 2.500, proven the best" in result.stderr


def test_a_round_without_an_id_gets_one_of_its_own_so_that_asking_twice_is_no_second_round(viceversa, matching):
    viceversa("match", "spring")
    viceversa("match", "spring")

    ids = [body["round_id"] for method, _, body in matching.asked if method == "POST"]
    assert len(set(ids)) == 2


def test_json_gives_the_round_with_all_pairs_and_all_people(viceversa, matching):
    found = json.loads(viceversa("match", "spring", "--round", "r1", "--json").stdout)

    assert (found["value"], len(found["pairs"]), len(found["unmatched"])) == (2.5, 5, 3)


def test_tables_show_the_first_and_never_all(viceversa, matching, monkeypatch):
    matching.page = 1_000
    matching.listings[f"{ROUNDS}/r1/pairs"] = [PAIR] * 90

    viceversa("match", "spring", "--round", "r1")

    asked = [query["limit"] for method, path, query in matching.asked if path.endswith(("/pairs", "/unmatched"))]
    assert asked == ["20", "20"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (shown("done"), 0),
        (shown("done", made=4), 1),
        (shown("done", made=0, dry_run=True), 0),
        (shown("done", gap=0.1), 0),
        (shown("done", refused_pins=[{"mentor_id": "ada", "mentee_id": "grace", "rules": ["language"]}]), 1),
        (shown("failed", failure="MemoryError"), 1),
    ],
)
def test_the_exit_code_tells_whether_all_of_it_was_done(viceversa, matching, answer, code):
    matching.answers["GET", f"{ROUNDS}/r1"] = (200, answer)

    assert viceversa("match", "spring", "--round", "r1").exit_code == code


def test_a_round_that_runs_already_is_told_by_the_service(viceversa, matching):
    matching.answers["POST", ROUNDS] = (409, {"detail": "a round of this programme is running"})

    result = viceversa("match", "spring")

    assert (result.exit_code, "is running" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    "words", [["--objective", "speed"], ["--time-limit", "0"], ["--round", "a b"], ["--pin", "absent.csv"]]
)
def test_wrong_use_asks_for_no_round(viceversa, matching, words):
    assert viceversa("match", "spring", *words).exit_code == 2
    assert matching.asked == []


def test_pins_are_read_from_csv_and_from_yaml(viceversa, matching, tmp_path):
    (tmp_path / "pins.csv").write_text("mentor_id,mentee_id,note\nada,grace,old friends\n")
    (tmp_path / "pins.yaml").write_text("pins:\n  - mentor_id: ada\n    mentee_id: grace\n")

    for name in ("pins.csv", "pins.yaml"):
        assert viceversa("match", "spring", "--round", "r1", "--pin", name).exit_code == 0

    bodies = [body["pins"] for method, _, body in matching.asked if method == "POST"]
    assert bodies == [[{"mentor_id": "ada", "mentee_id": "grace"}]] * 2


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("pins.csv", "mentor_id,mentee_id\nada,grace\nada\n,grace\n", ["line 3, mentee_id", "line 4, mentor_id"]),
        ("pins.csv", "mentor,mentee\nada,grace\n", ["line 1: no column mentor_id and mentee_id"]),
        ("pins.csv", 'mentor_id,mentee_id\nada,"gra\n', ["line 2: unexpected end of data"]),
        ("pins.yaml", "pins:\n  - mentor_id: ada\n    mentee: grace\n", ["line 2, pins.0.mentee_id: Field required"]),
    ],
)
def test_what_is_wrong_in_a_file_of_pins_is_told_with_its_line(tmp_path, name, text, told):
    (tmp_path / name).write_text(text)

    with pytest.raises(Misused) as wrong:
        read(tmp_path / name)

    assert all(line in str(wrong.value) for line in told), str(wrong.value)


def test_more_pins_than_a_round_takes_are_refused(tmp_path):
    (tmp_path / "pins.csv").write_text("mentor_id,mentee_id\n" + "ada,grace\n" * 2_001)

    with pytest.raises(Misused, match="2001 pins"):
        read(tmp_path / "pins.csv")
