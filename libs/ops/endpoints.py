"""Where the servers are: from the environment, else from `.local/endpoints.env` of the folder that one stands in."""

import os
from collections.abc import Mapping
from pathlib import Path

from libs.contracts.topics import TOPICS
from libs.ops.failures import Misused

FILE = Path(".local") / "endpoints.env"


def endpoint(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """The value of `VICEVERSA_<name>`. Raises Misused when nobody says it."""
    if found := _find(name, environment):
        return found
    raise Misused(f"VICEVERSA_{name} is not known", f"set it, or run `make up` in the checkout, which writes {FILE}")


def token(environment: Mapping[str, str] = os.environ) -> str | None:
    """The bearer token of the services, if there is one."""
    return _find("API_TOKEN", environment)


def prefix(environment: Mapping[str, str] = os.environ) -> str:
    """What all topics and groups begin with."""
    return _find("PREFIX", environment) or ""


def full_name(topic: str) -> str:
    """A topic of the contracts under its name in the cluster. Raises KeyError for any other."""
    return prefix() + TOPICS[topic].name


def _find(name: str, environment: Mapping[str, str]) -> str | None:
    variable = f"VICEVERSA_{name}"
    return environment.get(variable) or _remembered().get(variable) or None


def _remembered() -> dict[str, str]:
    if not FILE.is_file():
        return {}
    lines = (line.strip() for line in FILE.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}
