from collections.abc import Iterator

import pytest

from deploy.local.stack import Endpoints
from tests.doors.served import Doors, opened


@pytest.fixture(scope="package")
def doors(stack: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """One company for all tests at the doors: they are about strangers, who share it in life too."""
    with opened(stack, tmp_path_factory.mktemp("doors")) as found:
        yield found
