"""What an operator of dead letters sees, and gets as exit code."""

import getpass
import json
import sys
from datetime import UTC, datetime

import pytest

from deploy.local.ports import free_port
from libs.ops import streams
from libs.ops.dead_letters import moment, paced, rate
from libs.ops.failures import Misused
from tests.ops.bureau import bureau
from tests.ops.service import serving

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def office(viceversa, stack, prefix, database_prefix, monkeypatch):
    with bureau(stack, prefix, database_prefix) as found:
        for name, url in found.urls.items():
            monkeypatch.setenv(f"VICEVERSA_{name.upper()}", url)
        yield found


@pytest.fixture
def service(viceversa, monkeypatch):
    """One that stands for all three, with two dead letters."""
    with serving() as found:
        for name in ("MATCHING", "SCHEDULING", "NOTIFICATIONS"):
            monkeypatch.setenv(f"VICEVERSA_{name}", found.url)
        found.listings["/dead-letters"] = [{"dead_letter_id": f"l{number}", "state": "parked"} for number in (1, 2)]
        found.listings["/dead-letters/summary"] = [{"topic": "pair-created", "reason": "poison", "count": 2}]
        yield found


def asked(service):
    return [(path, body) for method, path, body in service.asked if method == "POST"]


def test_an_operator_looks_rehearses_replays_and_purges(viceversa, office):
    office.park(failed=3, unreadable=2)
    look = viceversa("dead-letters", "summary", "--json")
    counts = {(group["service"], group["topic"], group["reason"]): group["count"] for group in json.loads(look.stdout)}
    assert counts == {
        ("scheduling", "pair-created", "handler_failed"): 3,
        ("scheduling", "pair-created", "invalid_json"): 2,
    }

    rehearsal = viceversa("dead-letters", "replay", "--all", "--dry-run", "--json")
    foreseen = [letter["would_be"] for letter in json.loads(rehearsal.stdout)]
    assert (rehearsal.exit_code, foreseen, office.replayed()) == (1, ["handled"] * 3 + ["refused"] * 2, 0)

    replay = viceversa("dead-letters", "replay", "--topic", "pair-created", "--since", "1h", "--by", "ada", "--json")
    outcomes = [letter["outcome"] for letter in json.loads(replay.stdout)]
    assert (replay.exit_code, outcomes, office.replayed()) == (1, ["replayed"] * 3 + ["refused"] * 2, 3)

    left = json.loads(viceversa("dead-letters", "list", "--json").stdout)
    assert [(letter["reason"], letter["replays"]) for letter in left] == [("invalid_json", 1)] * 2
    purge = viceversa("dead-letters", "purge", left[0]["dead_letter_id"], "--reason", "said again")
    shown = json.loads(viceversa("dead-letters", "show", left[0]["dead_letter_id"], "--json").stdout)
    assert (purge.exit_code, shown["state"], shown["because"], shown["bytes"]) == (0, "purged", "said again", 0)
    assert shown["by"] == getpass.getuser()
    done = json.loads(viceversa("dead-letters", "list", "--state", "replayed", "--json").stdout)
    assert {letter["by"] for letter in done} == {"ada"}


def test_a_replay_in_vain_is_refused_the_fourth_time_unless_it_is_forced(viceversa, office):
    office.park(failed=0, unreadable=1)
    replay = ("dead-letters", "replay", "--reason", "invalid_json", "--json")

    why = [json.loads(viceversa(*replay).stdout)[0]["why"] for _ in range(4)]
    rehearsed = json.loads(viceversa(*replay, "--dry-run").stdout)
    forced = json.loads(viceversa(*replay, "--force").stdout)

    assert ["replayed 3 times in vain" in each for each in why] == [False, False, False, True]
    assert rehearsed[0]["reason"] == "replayed_too_often"
    assert "still can't be read" in forced[0]["why"]


def test_all_are_purged_only_by_who_means_it(viceversa, service):
    service.answers["POST", "/dead-letters/l1/purge"] = service.answers["POST", "/dead-letters/l2/purge"] = (200, {})
    words = ("dead-letters", "purge", "--all", "--reason", "over", "--service", "matching")

    silent = viceversa(*words)
    rehearsed = viceversa(*words, "--dry-run")
    assert (silent.exit_code, rehearsed.exit_code, asked(service)) == (2, 0, [])

    assert viceversa(*words, "--yes", "--by", "grace").exit_code == 0
    assert asked(service) == [(f"/dead-letters/l{n}/purge", {"reason": "over", "by": "grace"}) for n in (1, 2)]


@pytest.mark.parametrize(("answer", "code", "purged"), [("n\n", 1, 0), ("y\n", 0, 2)])
def test_on_a_terminal_the_operator_is_asked_before_all_are_purged(
    viceversa, service, monkeypatch, answer, code, purged
):
    service.answers["POST", "/dead-letters/l1/purge"] = service.answers["POST", "/dead-letters/l2/purge"] = (200, {})
    monkeypatch.setattr("libs.ops.dead_letter_commands._somebody_watches", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda text, err: answer == "y\n")

    done = viceversa("dead-letters", "purge", "--all", "--reason", "over", "--service", "matching")

    assert (done.exit_code, len(asked(service))) == (code, purged)


@pytest.mark.parametrize(
    "words",
    [
        ["replay"],
        ["replay", "l1", "--all"],
        ["replay", "l1", "--topic", "pair-created"],
        ["replay", "--all", "--rate", "fast"],
        ["replay", "--all", "--rate", "0/s"],
        ["list", "--since", "yesterday"],
        ["purge", "l1"],
        ["purge", "--reason", "over"],
    ],
)
def test_wrong_use_asks_no_service(viceversa, service, words):
    assert (viceversa("dead-letters", *words).exit_code, service.asked) == (2, [])


def test_a_letter_that_is_nowhere_is_refused_and_a_service_that_is_away_is_told(viceversa, service, monkeypatch):
    assert viceversa("dead-letters", "show", "nothing").exit_code == 1
    assert viceversa("dead-letters", "replay", "nothing").exit_code == 1

    monkeypatch.setenv("VICEVERSA_SCHEDULING", f"http://127.0.0.1:{free_port()}")
    for verb in ("summary", "list"):
        assert viceversa("dead-letters", verb).exit_code == 3


def test_a_replay_that_ends_early_tells_how_far_it_came(viceversa, service):
    service.answers["POST", "/dead-letters/l1/replay"] = (200, {})
    service.answers["POST", "/dead-letters/l2/replay"] = (503, {"detail": "not ready"})

    done = viceversa("dead-letters", "replay", "--all", "--service", "matching")

    assert (done.exit_code, "ended early: 1 replayed, 0 refused" in done.stderr) == (3, True)
    assert done.stdout.splitlines()[1].split("\t")[1:3] == ["l1", "replayed"]


def test_a_time_is_so_long_ago_or_a_date_in_utc():
    assert moment("2h", NOW) == datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert moment("1w", NOW) == datetime(2026, 2, 23, 9, tzinfo=UTC)
    assert moment("2026-03-01", NOW) == datetime(2026, 3, 1, tzinfo=UTC)
    assert moment("2026-03-01T10:30+01:00", NOW) == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    for wrong in ("soon", "99999999999d", "2026-13-01", "-2h"):
        with pytest.raises(Misused):
            moment(wrong, NOW)


def test_a_rate_is_kept_and_what_came_late_is_not_made_up_for():
    time, pauses = [0.0], []

    def pause(seconds):
        pauses.append(round(seconds, 3))
        time[0] += seconds

    for number, _ in enumerate(paced([{}] * 5, rate("600/m"), lambda: time[0], pause)):
        time[0] += 3.0 if number == 2 else 0.04

    assert pauses == [0.06, 0.06, 0.06]


def test_long_ones_tell_how_far_they_are_and_nothing_holds_them_all(capsys):
    held = []

    def letters():
        for number in range(2_500):
            held.append(number)
            yield {"number": number}

    rows = streams.watched("replayed", letters(), 2_500)
    next(rows)
    assert held == [0]
    for _ in rows:
        pass

    assert capsys.readouterr().err.splitlines() == ["replayed: 1000 of 2500", "replayed: 2000 of 2500"]


@pytest.mark.parametrize("count", [0, 1, 450])
def test_a_listing_is_the_same_in_json_and_lines_however_long(capsys, count):
    rows = [{"id": f"l{number}", "detail": "a\tb\nc", "more": [number]} for number in range(count)]

    streams.listing("letters", ("id", "detail", "more"), iter(rows), as_json=True)
    assert json.loads(capsys.readouterr().out) == rows

    streams.listing("letters", ("id", "detail", "more"), iter(rows), as_json=False)
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert lines == [["id", "detail", "more"], *[[row["id"], "a b c", str(row["more"])] for row in rows]]


def test_a_terminal_gets_a_table_for_each_part(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    streams.listing("letters", ("id",), ({"id": f"l{number}"} for number in range(450)), as_json=False)

    out = capsys.readouterr().out
    assert (out.count("letters"), "l449" in out) == (3, True)
