import json
import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from deploy.local import parts
from deploy.local import stack as servers
from deploy.local.demo_facts import Fact, Facts
from deploy.local.demo_owed import Mailbox, Mails, doubled, missing
from deploy.local.demo_summary import percentile, waits_between_services, waits_for_mails
from deploy.local.processes import CHECKOUT

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAIR = {"pair_id": "p1", "mentor_id": "mina", "mentee_id": "grace"}


class Story:
    """What was said, and which mails arrived."""

    def __init__(self) -> None:
        self.facts, self.arrived = Facts(), Counter[str]()

    def say(self, topic: str, id: str, **data: object) -> "Story":
        self.facts.said[topic].append(Fact(topic, id, NINE, data))
        return self

    def tell(self, who: str, event_id: str, *, mails: int = 1, after: float = 0.5) -> "Story":
        message_id = f"<{event_id}.{who}>"
        self.arrived[message_id] += mails
        sent_at = (NINE + timedelta(seconds=after)).isoformat()
        about = {"topic": "any", "event_id": event_id}
        return self.say(
            "notification-sent", message_id, participant_id=who, about=about, message_id=message_id, sent_at=sent_at
        )

    def both(self, event_id: str) -> "Story":
        return self.tell("mina", event_id).tell("grace", event_id)

    @property
    def missing(self) -> list[str]:
        return list(missing(self.facts, Mails(+self.arrived)))

    @property
    def doubled(self) -> list[str]:
        return list(doubled(self.facts, Mails(self.arrived)))


def paired() -> Story:
    story = Story().say("pair-created", "e1", **PAIR).both("e1")
    return story.say("session-scheduled", "e2", **PAIR, session_id="s1", number=1).both("e2")


def held(story: Story, *, series_done: bool = False) -> Story:
    feedback = {"mentor": {"rating": 5}, "mentee": None}
    said = {**PAIR, "session_id": "s1", "number": 1, "revision": 2, "series_done": series_done, "feedback": feedback}
    return story.say("session-completed", "e3", **said)


def test_nothing_is_missing_when_everybody_was_told():
    assert paired().missing == []


def test_a_person_without_a_welcome_is_missed():
    story = Story().say("participant-enrolled", "e0", participant_id="ada")

    assert story.missing == ["ada was not told of participant-enrolled e0"]


def test_a_pair_without_a_meeting_is_missed_unless_there_is_a_warning():
    story = Story().say("pair-created", "e1", **PAIR).both("e1")
    assert story.missing == ["the pair p1 has neither a meeting nor a warning"]

    story.say("pair-at-risk", "e2", **PAIR).tell("~office", "e2")
    assert story.missing == []


def test_a_mail_that_never_arrived_is_missed():
    story = Story().say("participant-enrolled", "e0", participant_id="ada").tell("ada", "e0", mails=0)

    assert story.missing == ["the mail <e0.ada> was said to be sent and has not arrived"]


def test_after_a_meeting_the_silent_side_is_asked_and_the_next_meeting_follows():
    story = held(paired())
    assert story.missing == ["no meeting 2 of p1 followed", "grace was not told of session-completed e3"]

    story.tell("grace", "e3").say("session-scheduled", "e4", **PAIR, session_id="s2", number=2).both("e4")
    assert story.missing == []


def test_who_answers_before_the_question_is_sent_is_owed_none():
    story = held(paired()).say("session-scheduled", "e4", **PAIR, session_id="s2", number=2).both("e4")
    both = {"mentor": {"rating": 5}, "mentee": {"rating": 4}}
    said = {"session_id": "s1", "number": 1, "revision": 3, "series_done": False, "feedback": both}

    assert story.say("session-completed", "e6", **PAIR, **said).missing == []


def test_a_pair_whose_series_is_done_ends_and_is_thanked():
    story = held(paired(), series_done=True).tell("grace", "e3")
    assert story.missing == ["the series of p1 is done and the pair has not ended"]

    story.say("pair-ended", "e5", **PAIR, reason="completed")
    assert story.missing == ["mina was not told of pair-ended e5", "grace was not told of pair-ended e5"]
    assert story.both("e5").missing == []


def test_a_meeting_that_was_held_before_its_invitation_went_out_owes_no_invitation():
    story = Story().say("pair-created", "e1", **PAIR).both("e1")
    story.say("session-scheduled", "e2", **PAIR, session_id="s1", number=1)
    held(story, series_done=True).tell("grace", "e3").say("pair-ended", "e5", **PAIR, reason="completed").both("e5")

    assert story.missing == []


def test_a_mail_a_telling_and_a_meeting_are_doubled_when_there_are_two():
    assert paired().doubled == []
    assert Story().tell("ada", "e0", mails=2).doubled == ["the mail <e0.ada> arrived 2 times"]
    assert "grace was told 2 times of e2" in paired().tell("grace", "e2").doubled

    again = paired().say("session-scheduled", "e9", **PAIR, session_id="s9", number=1)
    assert again.doubled == ["p1 has meeting 1 2 times"]
    assert again.say("session-cancelled", "e10", **PAIR, session_id="s9").doubled == []


def test_the_wait_is_from_the_fact_to_its_mail():
    story = Story().say("participant-enrolled", "e0", participant_id="ada").tell("ada", "e0", after=1.5)

    assert list(waits_for_mails(story.facts)) == [1500.0]


def test_the_step_between_services_is_from_a_fact_to_the_one_that_it_led_to():
    story = Story().say("pair-created", "e1", **PAIR)
    story.facts.said["session-scheduled"] = [
        Fact("session-scheduled", "e2", NINE + timedelta(milliseconds=80), PAIR, cause="e1"),
        Fact("session-scheduled", "e3", NINE + timedelta(seconds=9), PAIR, cause="a call"),
    ]

    assert list(waits_between_services(story.facts)) == [80.0]


def test_percentiles_of_nothing_of_one_and_of_many():
    assert percentile((), 99) == 0
    assert percentile((7.0,), 50) == 7
    assert percentile(tuple(range(101)), 99) == 99


def test_mails_are_known_by_their_message_id(tmp_path):
    (tmp_path / "000001-a.eml").write_bytes(b"X-Envelope-To: ada@x\r\nMessage-ID: <1@x>\r\n\r\nHello")
    (tmp_path / "000002-a.eml").write_bytes(b"Message-ID: <1@x>\r\n\r\nHello")

    assert Mailbox(tmp_path).look().arrived == {"<1@x>": 2}


@pytest.fixture
def root(stack, tmp_path):
    """A root for a demo on the servers that all tests share."""
    yield tmp_path
    parts.stop_services(tmp_path)
    name = (tmp_path / "run" / "demo.name").read_text()
    servers.forget(stack, f"{name}.", f"{name}_")


def play(root, stack, count: int) -> "subprocess.Popen[str]":
    run = f"from pathlib import Path; from deploy.local import demo; demo.run(root=Path({str(root)!r}), count={count})"
    given = {"VICEVERSA_KAFKA": stack.kafka, "VICEVERSA_MONGODB": stack.mongodb}
    return subprocess.Popen(
        [sys.executable, "-c", run],
        cwd=CHECKOUT,
        env={**os.environ, **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_hundred_people_are_enrolled_paired_scheduled_and_told_once(root, stack):
    run = play(root, stack, 100)
    said, errors = run.communicate(timeout=200)

    assert run.returncode == 0, errors
    found = json.loads((root / "demo.json").read_text())
    assert found["participants"] == 100
    assert found["pairs"] >= 3
    assert found["pairs_completed"] >= 1
    assert found["completed"] >= 3
    assert found["mails"] > 100
    assert (found["lost"], found["doubled"], found["out_of_order"], found["dead_letters"]) == (0, 0, 0, 0)
    assert found["latency_p99_ms"] >= found["latency_p50_ms"] > 0
    assert "Summary" in said
    assert not any(process.pid() for process in parts.processes(root))


def test_ctrl_c_stops_everything_that_was_started(root, stack):
    run = play(root, stack, 30)
    assert run.stdout is not None
    for line in run.stdout:
        if "scheduling" in line:
            break
    run.send_signal(signal.SIGINT)
    said, _ = run.communicate(timeout=60)

    assert run.returncode == 130
    assert "interrupted" in said
    assert not any(process.pid() for process in parts.processes(root))
