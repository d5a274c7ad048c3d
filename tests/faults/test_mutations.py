"""Each guard of the product that is taken out is noticed by a test. All of them: `python -m tests.faults.mutations`."""

import ast
import os
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

from deploy.local.processes import CHECKOUT
from deploy.local.stack import Endpoints
from tests.faults.mutations.proof import strays
from tests.faults.mutations.scratch import copied, spoil
from tests.faults.mutations.table import MUTATIONS
from tests.faults.mutations.trial import judge, rehearse
from tests.model.sabotage import Sabotage

SEED = int(os.environ.get("SEED", "4"))
A_FEW = random.Random(SEED).sample([name for name, mutation in MUTATIONS.items() if mutation.quick], 3)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_fits_the_product_and_leaves_it_readable(name: str) -> None:
    mutation = MUTATIONS[name]

    spoiled = spoil(mutation, (CHECKOUT / mutation.file).read_text())

    ast.parse(spoiled)


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_tests_that_must_notice_a_mutation_exist(name: str) -> None:
    for test in MUTATIONS[name].caught_by:
        file, _, function = test.partition("::")
        assert f"def {function.partition('[')[0]}(" in (CHECKOUT / file).read_text()


def test_every_step_of_the_model_that_can_be_sabotaged_is_a_mutation_too() -> None:
    assert {mutation.model for mutation in MUTATIONS.values()} >= set(Sabotage)


def test_code_from_outside_the_copy_is_noticed(tmp_path: Path) -> None:
    inside, outside = ModuleType("libs.inside"), ModuleType("libs.outside")
    inside.__file__, outside.__file__ = str(tmp_path / "libs" / "inside.py"), str(CHECKOUT / "libs" / "outside.py")

    assert strays(tmp_path, {"libs.inside": inside, "libs.outside": outside, "sys": sys}) == ["libs.outside"]


def test_a_few_mutations_are_noticed(stack: Endpoints) -> None:
    with copied() as scratch:
        rehearse(scratch, stack, [MUTATIONS[name] for name in A_FEW])
        survived = [name for name in A_FEW if not judge(scratch, stack, MUTATIONS[name]).caught_by]

    assert survived == []
