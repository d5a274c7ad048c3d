"""The audit finds planted breaches and nothing else."""

from collections.abc import Iterable

from deploy.local.audit import Heard, audit


def said(number: int, *, id: str = "", topic: str = "pair-created", subject: str = "ada-grace") -> Heard:
    headers = {
        "ce_id": (id or f"{subject}-{number}").encode(),
        "ce_source": b"/viceversa/matching",
        "ce_subject": subject.encode(),
        "ce_sequence": str(number).encode(),
    }
    return Heard(topic, 0, number, subject.encode(), b"{}", headers)


def breaches(records: Iterable[Heard]) -> tuple[int, int, int]:
    found = audit(records)
    assert found.clean == (not (found.doubled or found.lost or found.reordered))
    return len(found.doubled), len(found.lost), len(found.reordered)


def test_a_subject_whose_numbers_rise_by_one_is_clean() -> None:
    assert breaches([said(1), said(2), said(3), said(1, subject="mina-omar")]) == (0, 0, 0)


def test_a_subject_that_speaks_on_two_topics_counts_through_both() -> None:
    ended = said(2, topic="pair-ended")
    assert breaches([ended, said(1), said(3)]) == (0, 0, 0)


def test_an_id_that_is_seen_twice_is_doubled() -> None:
    assert breaches([said(1, id="one"), said(2, id="one")]) == (1, 0, 0)


def test_a_number_that_is_given_twice_is_doubled() -> None:
    assert breaches([said(1, id="one"), said(1, id="other")]) == (1, 0, 0)


def test_a_number_that_is_left_out_is_lost() -> None:
    assert breaches([said(1), said(4)]) == (0, 2, 0)


def test_a_number_that_falls_within_a_topic_is_reordered() -> None:
    assert breaches([said(1), said(3), said(2)]) == (0, 0, 1)


def test_foreign_records_and_dead_letters_are_promised_nothing() -> None:
    foreign = Heard("participant-enrolled", 0, 0, b"grow/ada", b"{}", {"ce_id": b"one", "ce_source": b"/hr"})
    parked = said(1, topic="pair-created.scheduling.dlq")
    assert breaches([foreign, foreign, parked, parked, said(1)]) == (0, 0, 0)


def test_facts_are_counted_by_topic() -> None:
    assert audit([said(1), said(2, topic="pair-ended"), said(1, subject="mina-omar")]).facts == {
        "pair-created": 2,
        "pair-ended": 1,
    }
