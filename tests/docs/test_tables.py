"""The operators' tables say what the code says."""

from typing import Final

from libs.chassis.dead_letters import DeadLetter
from libs.contracts.envelope import Reason
from libs.contracts.topics import DEAD_LETTER_RETENTION_DAYS, TOPICS
from tests.docs.pages import ROOT, spans
from tests.docs.tables import METRICS, SETTINGS, metrics_tables, settings_tables, written

WRITE: Final = "run `python -m tests.docs.tables`"


def test_every_setting_stands_there_with_its_default() -> None:
    page = SETTINGS.read_text("utf-8")
    assert written(page, settings_tables()) == page, WRITE


def test_every_metric_stands_there_with_its_labels() -> None:
    page = METRICS.read_text("utf-8")
    assert written(page, metrics_tables()) == page, WRITE


def test_every_reason_of_an_unreadable_record_is_explained() -> None:
    page = ROOT / "docs/operations/dead-letters.md"
    assert {reason.value for reason in Reason} <= set(spans(page))
    assert DeadLetter.collection in spans(page)


def test_the_changelog_names_every_topic_and_how_long_it_is_kept() -> None:
    lines = (ROOT / "CHANGELOG.md").read_text("utf-8").replace("\n  ", " ").splitlines()
    kept = {
        "Compacted": {name for name, topic in TOPICS.items() if topic.compacted},
        "Kept 30": {name for name, topic in TOPICS.items() if topic.retention_days == 30},
    }
    for words, topics in kept.items():
        (line,) = [line for line in lines if line.startswith(f"* {words}")]
        assert set(line.split("`")[1::2]) == topics
    assert any(line.startswith(f"* Dead letters, kept {DEAD_LETTER_RETENTION_DAYS} days") for line in lines)
