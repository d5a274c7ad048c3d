"""Generated programmes are valid contract events with the skew that they promise."""

from collections import Counter
from itertools import islice

import pytest

from benchmarks.matching.generator import Variant, generate
from libs.contracts.events import ParticipantEnrolled
from libs.contracts.words import Role


@pytest.mark.parametrize("variant", Variant)
def test_a_sample_of_people_passes_the_validation_that_was_left_out(variant: Variant) -> None:
    for person in islice(generate(2_000, variant).participants(), 0, None, 20):
        assert ParticipantEnrolled.model_validate(person.model_dump()) == person
        assert ParticipantEnrolled.model_validate_json(person.model_dump_json()) == person


def test_the_same_seed_gives_the_same_company_and_another_seed_another_one() -> None:
    first, again, other = (list(generate(200, seed=seed).participants()) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("variant", "executives"), [(Variant.LOPSIDED, 200), (Variant.BALANCED, 1_000), (Variant.EXECUTIVES, 1_500)]
)
def test_sides_are_as_lopsided_as_the_variant_says(variant: Variant, executives: int) -> None:
    roles = Counter(person.role for person in generate(2_000, variant).participants())
    assert roles == {Role.MENTEE: executives, Role.MENTOR: 2_000 - executives}


def test_hub_demand_is_the_same_six_topics_for_every_executive() -> None:
    people = list(generate(2_000, Variant.HUB).participants())
    wanted = {frozenset(goal.topic for goal in person.goals) for person in people if person.role is Role.MENTEE}
    assert [len(topics) for topics in wanted] == [6]


def test_a_few_topics_are_wanted_by_many() -> None:
    people = generate(5_000).participants()
    wanted = Counter(goal.topic for person in people if person.role is Role.MENTEE for goal in person.goals)
    (_, most), *_, (_, least) = wanted.most_common()
    assert most > 50 * least


def test_chains_of_managers_reach_from_a_lead_outside_to_executives_in_the_pool() -> None:
    people = {person.participant_id: person for person in generate(5_000).participants()}
    chains = [person.manager_ids for person in people.values() if person.role is Role.MENTOR]
    assert max(map(len, chains)) == 5
    assert any(chain[0] not in people and set(chain[1:]) <= people.keys() for chain in chains)
    assert all(people[boss].role is Role.MENTEE for chain in chains for boss in chain[1:])


def test_pairs_in_force_are_of_two_sides_and_nobody_has_two() -> None:
    instance = generate(5_000)
    roles = {person.participant_id: person.role for person in instance.participants()}
    pairs = list(instance.in_force())
    assert len(pairs) > 10
    assert {(roles[pair.mentor_id], roles[pair.mentee_id]) for pair in pairs} == {(Role.MENTOR, Role.MENTEE)}
    assert max(Counter(person for pair in pairs for person in (pair.mentor_id, pair.mentee_id)).values()) == 1
    assert len(list(instance.former_pairs())) > len(pairs) < len(list(instance.exclusions()))
