"""What an operator sees and gets as exit code."""

import json

import pytest
import yaml

from deploy.local.ports import free_port
from libs.contracts.examples import PROGRAM_PUBLISHED
from tests.ops.files import write, write_mapping
from tests.ops.service import serving


@pytest.fixture
def service(viceversa, monkeypatch):
    """One that stands for all three."""
    with serving() as found:
        for name in ("MATCHING", "SCHEDULING", "NOTIFICATIONS"):
            monkeypatch.setenv(f"VICEVERSA_{name}", found.url)
        yield found


@pytest.fixture
def nobody(monkeypatch):
    """Addresses where nobody listens."""
    port = free_port()
    monkeypatch.setenv("VICEVERSA_KAFKA", f"127.0.0.1:{port}")
    monkeypatch.setenv("VICEVERSA_MATCHING", f"http://127.0.0.1:{port}")


def letter(number, topic="pair-created", **more):
    place = {"dead_letter_id": f"l{number}", "topic": topic, "partition": 0, "offset": number}
    return place | {"state": "parked", "reason": "invalid_data"} | more


def test_help_shows_what_is_there(viceversa):
    result = viceversa("--help")

    assert result.exit_code == 0
    for word in ("topics", "program", "enrol", "match", "pairs", "sessions", "dead-letters", "flows"):
        assert word in result.stdout


@pytest.mark.parametrize("words", [["nonsense"], ["enrol"], ["pairs"], ["dead-letters", "replay"], ["pairs", "spring"]])
def test_wrong_use_is_exit_code_2(viceversa, words):
    assert viceversa(*words).exit_code == 2


def test_an_unknown_endpoint_tells_how_to_make_it_known(viceversa):
    result = viceversa("pairs", "spring")

    assert "VICEVERSA_MATCHING is not known" in result.stderr
    assert "make up" in result.stderr


def test_endpoints_come_from_the_folder_of_a_checkout(viceversa, service, monkeypatch, tmp_path):
    monkeypatch.delenv("VICEVERSA_MATCHING")
    (tmp_path / ".local").mkdir()
    lines = f"VICEVERSA_MATCHING={service.url}\nVICEVERSA_API_TOKEN=secret\n"
    (tmp_path / ".local" / "endpoints.env").write_text(lines)
    service.listings["/programs/spring/pairs"] = []

    assert viceversa("pairs", "spring").exit_code == 0
    assert service.tokens == {"Bearer secret"}


def test_a_server_that_is_away_is_exit_code_3(viceversa, nobody, tmp_path, monkeypatch):
    monkeypatch.setattr("libs.ops.known.PATIENCE", 0.5)
    monkeypatch.setattr("libs.ops.flows.PATIENCE", 0.5)
    monkeypatch.setattr("libs.ops.topics.PATIENCE", 0.5)
    file, mapping = write(tmp_path), write_mapping(tmp_path)

    assert viceversa("pairs", "spring").exit_code == 3
    assert viceversa("flows").exit_code == 3
    assert viceversa("topics", "apply").exit_code == 3
    assert viceversa("enrol", file, "--program", "spring", "--map", mapping).exit_code == 3


def test_a_listing_follows_the_pages_to_the_end(viceversa, service):
    rows = [{"pair_id": f"p{number}", "mentor_id": "ada", "mentee_id": "grace"} for number in range(5)]
    service.listings["/programs/spring/pairs"] = rows

    assert json.loads(viceversa("pairs", "spring", "--json").stdout) == rows
    lines = viceversa("pairs", "spring").stdout.splitlines()
    assert lines[0].split("\t")[:3] == ["pair_id", "mentor_id", "mentee_id"]
    assert len(lines) == 6


def test_sessions_are_asked_for_with_what_the_operator_wants(viceversa, service):
    service.listings["/sessions"] = [
        {"session_id": "s1", "program_id": "spring", "state": "scheduled"},
        {"session_id": "s2", "program_id": "spring", "state": "completed"},
    ]

    found = json.loads(viceversa("sessions", "spring", "--state", "completed", "--json").stdout)

    assert [session["session_id"] for session in found] == ["s2"]


def test_a_programme_is_published_without_a_revision(viceversa, service, tmp_path):
    path = tmp_path / "program.yaml"
    data = PROGRAM_PUBLISHED.model_dump(mode="json", exclude={"revision"})
    path.write_text(yaml.safe_dump(data))
    service.answers["PUT", "/programs/digital-2026"] = (200, {"revision": 4})

    result = viceversa("program", "publish", path)

    assert (result.exit_code, "revision 4" in result.stderr) == (0, True)
    assert service.asked == [("PUT", "/programs/digital-2026", {k: v for k, v in data.items() if k != "program_id"})]


def test_what_a_service_refuses_is_told_field_by_field(viceversa, service, tmp_path):
    path = tmp_path / "program.yaml"
    path.write_text(yaml.safe_dump(PROGRAM_PUBLISHED.model_dump(mode="json", exclude={"revision"})))
    problem = {"detail": "the request is not valid", "errors": [{"field": "policy.mode", "reason": "not now"}]}
    service.answers["PUT", "/programs/digital-2026"] = (422, problem)

    result = viceversa("program", "publish", path)

    assert result.exit_code == 1
    assert "policy.mode: not now" in result.stderr


@pytest.mark.parametrize(("status", "code"), [(401, 2), (404, 1), (409, 1), (503, 3)])
def test_the_exit_code_tells_who_has_to_act(viceversa, service, tmp_path, status, code):
    path = tmp_path / "program.yaml"
    path.write_text(yaml.safe_dump(PROGRAM_PUBLISHED.model_dump(mode="json", exclude={"revision"})))
    service.answers["PUT", "/programs/digital-2026"] = (status, {"detail": "no"})

    assert viceversa("program", "publish", path).exit_code == code


def test_parked_dead_letters_of_every_service_are_listed(viceversa, service):
    service.listings["/dead-letters"] = [letter(1), letter(2, state="replayed")]

    parked = json.loads(viceversa("dead-letters", "list", "--json").stdout)
    everything = json.loads(viceversa("dead-letters", "list", "--state", "all", "--json").stdout)

    assert {(each["service"], each["dead_letter_id"]) for each in parked} == {
        ("matching", "l1"),
        ("scheduling", "l1"),
        ("notifications", "l1"),
    }
    assert len(everything) == 6


def test_a_replay_keeps_the_order_in_which_the_records_came(viceversa, service):
    service.listings["/dead-letters"] = [letter(9), letter(10), letter(11, reason="conflict")]
    service.listings["/dead-letters/summary"] = []
    for number in (9, 10, 11):
        service.answers["POST", f"/dead-letters/l{number}/replay"] = (200, {})

    result = viceversa("dead-letters", "replay", "--all", "--service", "matching", "--json")

    assert result.exit_code == 0
    asked = [path for method, path, _ in service.asked if method == "POST"]
    assert asked == [f"/dead-letters/l{number}/replay" for number in (9, 10, 11)]


def test_a_dry_run_replays_nothing(viceversa, service):
    service.listings["/dead-letters"] = [letter(9), letter(11, reason="conflict")]
    service.listings["/dead-letters/summary"] = []
    service.answers["GET", "/dead-letters/l11/outlook"] = (200, {"would_be": "handled"})

    result = viceversa("dead-letters", "replay", "--reason", "conflict", "--dry-run", "--service", "matching", "--json")

    assert [each["dead_letter_id"] for each in json.loads(result.stdout)] == ["l11"]
    assert not [path for method, path, _ in service.asked if method == "POST"]


def test_a_refused_replay_is_told_and_the_others_go_on(viceversa, service):
    service.listings["/dead-letters"] = [letter(1), letter(2)]
    service.listings["/dead-letters/summary"] = []
    service.answers["POST", "/dead-letters/l1/replay"] = (409, {"detail": "still can't be read"})
    service.answers["POST", "/dead-letters/l2/replay"] = (200, {})

    result = viceversa("dead-letters", "replay", "--all", "--service", "scheduling", "--json")

    assert result.exit_code == 1
    assert [each["outcome"] for each in json.loads(result.stdout)] == ["refused", "replayed"]
    assert "still can't be read" in result.stdout


def test_one_dead_letter_is_shown_and_purged_with_a_reason(viceversa, service):
    service.answers["GET", "/dead-letters/a b:1"] = (200, letter(1, dead_letter_id="a b:1", bytes=12))
    service.answers["POST", "/dead-letters/a b:1/purge"] = (200, {})

    assert json.loads(viceversa("dead-letters", "show", "a b:1", "--json").stdout)["bytes"] == 12
    purge = viceversa("dead-letters", "purge", "a b:1", "--reason", "a test record", "--by", "grace")
    assert (purge.exit_code, service.asked[-1][2]) == (0, {"reason": "a test record", "by": "grace"})
    assert viceversa("dead-letters", "show", "nothing").exit_code == 1


def test_people_can_be_enrolled_through_the_api(viceversa, cluster, service, tmp_path):
    path = write(tmp_path, "1,Grace,mentee,9,,yes", "2,Mina,mentee,7,,yes")
    service.answers["PUT", "/programs/spring/participants/1"] = (200, {})
    service.answers["PUT", "/programs/spring/participants/2"] = (409, {"detail": "owned by /hr"})

    result = viceversa("enrol", path, "--program", "spring", "--map", write_mapping(tmp_path), "--via", "api", "--json")

    told = json.loads(result.stdout)
    assert (result.exit_code, told["enrolled"], told["refused"]) == (1, 1, 1)
    assert "owned by /hr" in told["refusals"][0]["reason"]
    [(_, _, profile), _] = service.asked
    assert profile["name"] == "Grace"
    assert not {"program_id", "participant_id", "revision"} & profile.keys()


def test_flows_count_records_and_lag(viceversa, cluster, tmp_path):
    lines = [f"{number},Ada,mentor,2,,yes" for number in range(20)]
    viceversa("enrol", write(tmp_path, *lines), "--program", "spring", "--map", write_mapping(tmp_path), "--json")

    result = viceversa("flows", "--interval", "0.2", "--json")

    [flow] = [row for row in json.loads(result.stdout) if row["topic"] == "participant-enrolled"]
    assert (flow["records"], flow["rate"], flow["matching"]) == (20, 0.0, 20)


def test_topics_are_applied_once(viceversa, cluster):
    first = json.loads(viceversa("topics", "apply", "--json").stdout)
    again = json.loads(viceversa("topics", "apply", "--json").stdout)

    assert "created" in {row["outcome"] for row in first}
    assert {row["outcome"] for row in again} == {"same"}
    assert len(json.loads(viceversa("topics", "list", "--json").stdout)) == len(again)


def test_a_missing_topic_tells_the_next_step(viceversa, stack, prefix, tmp_path, monkeypatch):
    monkeypatch.setenv("VICEVERSA_KAFKA", stack.kafka)
    monkeypatch.setenv("VICEVERSA_PREFIX", prefix)

    result = viceversa("enrol", write(tmp_path), "--program", "spring", "--map", write_mapping(tmp_path))

    assert (result.exit_code, "viceversa topics apply" in result.stderr) == (2, True)


def test_an_output_for_people_tells_rows_notes_and_counts(viceversa, cluster, tmp_path):
    path = write(tmp_path, "1,Grace,mentee,9,Zoe Board,yes", "2,Mina,mentee,high,,yes")

    result = viceversa("enrol", path, "--program", "spring", "--map", write_mapping(tmp_path))

    assert result.exit_code == 1
    assert "3\t2\tgrade: not a whole number" in result.stdout
    assert "manager Zoe Board is in no row" in result.stderr
    assert "1 enrolled" in result.stderr


def test_an_endpoint_that_names_something_else_is_wrong_use(viceversa, service):
    service.answers["GET", "/programs/spring/pairs"] = (200, {"hello": "world"})

    assert viceversa("pairs", "spring").exit_code == 2
