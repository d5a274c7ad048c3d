"""The people of the demo meet: both sides say through scheduling's API that it was so, and how it was."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from deploy.local.processes import StackError

WORDS = {
    "mentor": "I explained more than I had planned, and was asked good questions.",
    "mentee": "I tried it out the same afternoon.",
}
TOPICS = ("generative-ai", "data-literacy")
TIMEOUT = 30.0


@dataclass(slots=True)
class Meetings:
    """`asked_at` is the moment of the first call about a session."""

    scheduling: httpx.Client
    asked_at: dict[str, datetime] = field(default_factory=dict)

    def hold(self, pair_id: str) -> bool:
        """Complete what the pair has planned now, as both sides. False if it has nothing planned."""
        planned = self._planned(pair_id)
        for session in planned:
            self.asked_at[session["session_id"]] = datetime.now(UTC)
            for side, rating in (("mentor", 5), ("mentee", 4)):
                words = {"by": side, "rating": rating, "comment": WORDS[side], "topics": TOPICS}
                self._done(self.scheduling.post(f"/sessions/{session['session_id']}/complete", json=words))
        return bool(planned)

    def hold_series(self, pair_id: str) -> int:
        """Until the series is done. How many meetings that were."""
        return sum(1 for _ in iter(lambda: self.hold(pair_id), False))

    def _planned(self, pair_id: str) -> list[dict[str, Any]]:
        answer = self._done(self.scheduling.get("/sessions", params={"pair_id": pair_id, "state": "planned"}))
        return list(answer.json()["items"])

    def _done(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_error:
            raise StackError(f"scheduling answers {answer.status_code} to {answer.request.url.path}: {answer.text}")
        return answer


def meetings(values: Mapping[str, str]) -> closing[httpx.Client]:
    """A client of scheduling at `endpoints.env`'s values."""
    token = values.get("VICEVERSA_API_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return closing(httpx.Client(base_url=values["VICEVERSA_SCHEDULING"], headers=headers, timeout=TIMEOUT))
