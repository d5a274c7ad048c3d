"""All mutations, by name."""

from collections.abc import Mapping
from typing import Final

from tests.faults.mutations.mutation import Mutation
from tests.faults.mutations.of_rounds import OF_ROUNDS
from tests.faults.mutations.of_the_relay import OF_THE_RELAY
from tests.faults.mutations.of_the_services import OF_THE_SERVICES
from tests.faults.mutations.of_the_transaction import OF_THE_TRANSACTION
from tests.faults.mutations.of_the_way_in import OF_THE_WAY_IN

MUTATIONS: Final[Mapping[str, Mutation]] = {
    **OF_THE_WAY_IN,
    **OF_THE_TRANSACTION,
    **OF_THE_RELAY,
    **OF_THE_SERVICES,
    **OF_ROUNDS,
}
