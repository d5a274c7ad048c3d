"""kill -9 of each service while two thousand people enrol, against a run that nothing disturbs."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from deploy.local.audit import audit, read
from deploy.local.demo_facts import Facts
from deploy.local.demo_owed import Mails, doubled, missing
from deploy.local.stack import Endpoints
from tests.journeys.company import NAMES, Company, company, couple, program, until

COUPLES, UNDISTURBED = 1_000, 20
MAILS_PER_COUPLE = 6  # a welcome, the pair and the first meeting, for each of the two
KILLED = NAMES * 2


@pytest.mark.timeout(900)
def test_killed_services_end_in_the_state_of_an_undisturbed_run(
    stack: Endpoints, prefix: str, database_prefix: str, tmp_path: Path
) -> None:
    with company(stack, f"{prefix}calm.", f"{database_prefix}calm_", tmp_path / "calm") as calm:
        calm.start()
        calm.say([program(), *(person for number in range(UNDISTURBED) for person in couple(number))])
        until_all_is_told(calm, UNDISTURBED)
        expected = story(calm, 0)
        assert all(story(calm, number) == expected for number in range(UNDISTURBED))
    with company(stack, f"{prefix}killed.", f"{database_prefix}killed_", tmp_path / "killed") as killed:
        killed.start()
        killed.say([program()])
        couples = iter(range(COUPLES))
        for name in KILLED:
            enrol(killed, islice(couples, COUPLES // len(KILLED)))
            kill_in_the_middle(killed, name)
        enrol(killed, couples)
        until_all_is_told(killed, COUPLES)
        assert [number for number in range(COUPLES) if story(killed, number) != expected] == []
        nothing_is_lost_or_doubled(killed, kills=KILLED.count("notifications"))


def enrol(killed: Company, couples: Iterator[int]) -> None:
    killed.say([person for number in couples for person in couple(number)])


def kill_in_the_middle(killed: Company, name: str) -> None:
    """While it works at what was just said."""
    progress = progress_of(killed, name)
    before = progress()
    until(lambda: progress() > before, what=f"{name}'s progress")
    killed.kill(name)


def progress_of(killed: Company, name: str) -> Callable[[], int]:
    return {
        "matching": lambda: killed.count("matching", "people", {}),
        "scheduling": lambda: killed.count("scheduling", "sessions", {}),
        "notifications": lambda: killed.count("notifications", "notices", {"state": "sent"}),
    }[name]


def until_all_is_told(told: Company, couples: int) -> None:
    until(lambda: told.has_told(couples * MAILS_PER_COUPLE), within=400, what="every mail")


def story(told: Company, number: int) -> list[str]:
    """What is known of a couple in the end, in words that are the same for every couple."""
    if not told.stories:
        told.stories = _stories(told)
    return sorted(told.stories[f"-{number}"])


def _stories(told: Company) -> dict[str, list[str]]:
    stories: dict[str, list[str]] = {}
    for row in told.rows("matching", "people"):
        name, number = _split(row["_id"].partition("/")[2])
        partners = [_split(partner["participant_id"]) for partner in row["partners"]]
        stories.setdefault(number, []).append(
            f"{name} {row['seeking']} {[who for who, its in partners if its == number]}"
        )
        stories[number] += ["a stranger" for _, its in partners if its != number]
    for service, collection in (("matching", "pairs"), ("scheduling", "pairs"), ("scheduling", "sessions")):
        for row in told.rows(service, collection):
            (mentor, number), (mentee, other) = (_split(row.get(f"{side}_id", "")) for side in ("mentor", "mentee"))
            words = [
                service,
                collection,
                mentor,
                mentee,
                str(number == other),
                str(row.get("state")),
                str(row.get("number")),
            ]
            stories.setdefault(number, []).append(" ".join(words))
    for to, subject in told.told():
        number = _split(to.partition("@")[0])[1]
        stories.setdefault(number, []).append(subject.replace(number, "-n"))
    return stories


def _split(id: str) -> tuple[str, str]:
    name, dash, number = id.rpartition("-")
    return name, dash + number


def nothing_is_lost_or_doubled(killed: Company, kills: int) -> None:
    """A kill repeats one mail at most, under the same Message-ID; topics and everything else are exact."""
    records = list(read(killed.values["VICEVERSA_KAFKA"], killed.prefix))
    found, facts = audit(records), Facts().add(records)
    assert found.clean, (found.doubled[:5], found.lost[:5], found.reordered[:5])
    assert facts.dead_letters == 0
    mails = killed.message_ids()
    assert list(missing(facts, Mails(mails))) == []
    once = Mails(type(mails)(dict.fromkeys(mails, 1)))
    assert list(doubled(facts, once)) == []
    assert mails.total() - len(mails) <= kills
    assert len(killed.told()) == len(mails)
