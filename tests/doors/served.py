"""The three services as processes that ask for a token, with the servers that all tests share."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx

from deploy.local import stack as servers
from deploy.local.stack import Endpoints
from libs.contracts.examples import EXAMPLES
from tests.journeys.company import Company, company, until
from tests.wishes import ADA, GRACE, PROGRAM

TOKEN = "ada-opens-every-door"
SERVICES = ("matching", "scheduling", "notifications")
# Nothing of the inside may be told: code, modules, servers, drivers.
INTERNALS = re.compile(
    r"Traceback|\.py\b|File \"|libs\.|services\.|pydantic|mongo|kafka:|127\.0\.0\.1|starlette|fastapi|site-packages",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Doors:
    """A company that runs and holds a pair with its first session. `ids` are those of what exists, by parameter."""

    company: Company
    ids: dict[str, str] = field(default_factory=dict)

    def address(self, service: str) -> str:
        return f"http://{self.company.servers[service].address}"

    def client(self, service: str, token: str | None = TOKEN) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.address(service), headers=headers, timeout=30)

    def furnish(self) -> None:
        """Two people who become a pair with a session, a calendar, and a record that every service parked."""
        with self.client("matching") as matching, self.client("scheduling") as scheduling:
            for path, body in (("", PROGRAM), ("/participants/ada", ADA), ("/participants/grace", GRACE)):
                matching.put(f"/programs/2026{path}", json=body).raise_for_status()
            until(lambda: bool(scheduling.get("/sessions").json()["items"]), 60, "a session")
            (session,) = scheduling.get("/sessions").json()["items"]
            matching.post("/programs/2026/rounds", json={"round_id": "rehearsal", "dry_run": True}).raise_for_status()
            calendar = scheduling.get("/programs/2026/participants/ada/calendar").raise_for_status().json()["url"]
        self.ids.update({name: session[name] for name in ("program_id", "pair_id", "session_id")})
        self.ids.update(participant_id="ada", round_id="rehearsal")
        self.ids.update(token=calendar.removeprefix("/calendars/").removesuffix(".ics"), dead_letter_id=self._parked())

    def _parked(self) -> str:
        """The id of a dead letter, the same in every service: another system revised a person who is not its own."""
        names = {"program_id": "2026", "participant_id": "ada", "revision": 7}
        self.company.say([EXAMPLES["participant-enrolled"].model_copy(update=names)], source="/crm")
        for service in SERVICES:
            until(lambda name=service: bool(self._letters(name)), 60, f"a dead letter of {service}")
        (id,) = {id for service in SERVICES for id in self._letters(service)}
        return id

    def _letters(self, service: str) -> list[str]:
        with self.client(service) as client:
            return [row["dead_letter_id"] for row in client.get("/dead-letters").json()["items"]]


@contextmanager
def opened(stack: Endpoints, root: Path) -> Iterator[Doors]:
    """What runs is stopped and forgotten at the end."""
    prefix = f"t{uuid4().hex[:7]}."
    database = prefix.replace(".", "_")
    try:
        with company(stack, prefix, database, root, VICEVERSA_API_TOKEN=TOKEN) as made:
            made.start()
            doors = Doors(made)
            doors.furnish()
            yield doors
    finally:
        servers.forget(stack, prefix, database)
