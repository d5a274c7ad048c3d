"""What a mutation is: one guard of the product that is taken out, and the tests that must notice."""

from dataclasses import dataclass

from tests.model.sabotage import Sabotage


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """`old` stands exactly once in `file`. `caught_by` are pytest's node ids, the cheapest first; one of them must
    fail. `model` names the step of the model's protocol that it spoils: there one can read what that costs, also where
    a single server on a quiet day forgives it. `quick` ones have a turn in each test run."""

    file: str
    old: str
    new: str
    breaks: str
    caught_by: tuple[str, ...]
    model: Sabotage | None = None
    quick: bool = False
