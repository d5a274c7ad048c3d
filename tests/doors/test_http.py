"""The OpenAPI documents of all services under schemathesis, against real processes that ask for a token.

Deterministic. `DOORS_EXAMPLES=200` draws more for each route; `make test` draws few.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.processes import CHECKOUT
from tests.doors.served import SERVICES, TOKEN, Doors

EXAMPLES = os.environ.get("DOORS_EXAMPLES", "4")
CONFIG = """
hooks = "{hooks}"
continue-on-failure = true
seed = 1

[generation]
deterministic = true
no-shrink = true
database = "none"

[phases.stateful]
max-steps = 5

[checks]
# All are on, as is the default. Two have nothing to look at: max_response_time has no limit, as a busy machine is no
# defect, and object_level_authorization needs two identities where one token opens everything.
# beyond.py asks it of everything but the rules that JSON Schema cannot say
positive_data_acceptance.enabled = false
# an If-Match that names no revision is refused before the body is judged (RFC 9110, 13.1.1)
negative_data_rejection.expected-statuses = ["400", "401", "404", "409", "412", "415", "422"]

"""


def _run(doors: Doors, service: str, folder: Path, phases: str, ids: dict[str, str]) -> str:
    """What schemathesis reports; empty when it found nothing."""
    config = folder / "schemathesis.toml"
    parameters = "[parameters]\n" + "".join(f'"path.{name}" = "{id}"\n' for name, id in ids.items()) if ids else ""
    config.write_text(CONFIG.format(hooks=CHECKOUT / "tests" / "doors" / "beyond.py") + parameters)
    command = [Path(sys.executable).parent / "schemathesis", "--config-file", config, "run"]
    command += [f"{doors.address(service)}/openapi.json", "-H", f"Authorization: Bearer {TOKEN}"]
    command += ["--phases", phases, "--max-examples", EXAMPLES]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_keeps_its_document_whatever_it_is_sent(doors: Doors, service: str, tmp_path: Path) -> None:
    if report := _run(doors, service, tmp_path, "coverage,stateful", {}):
        pytest.fail(report, pytrace=False)


@pytest.mark.parametrize("service", SERVICES)
def test_routes_of_things_that_exist_keep_their_document_too(doors: Doors, service: str, tmp_path: Path) -> None:
    if report := _run(doors, service, tmp_path, "fuzzing", doors.ids):
        pytest.fail(report, pytrace=False)
