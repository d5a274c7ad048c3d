"""What JSON Schema cannot say: rules that join two fields, or know time zones. Loaded by schemathesis."""

import json

import schemathesis
from schemathesis import Case, Response
from schemathesis.checks import CheckContext
from schemathesis.specs.openapi.checks import positive_data_acceptance

BEYOND = (
    "not an IANA time zone",
    "must differ",
    "must not be before",
    "must not be below",
    "must be after",
    "must be above 0",
    "needs a rating",
    "out of range",
    "must lie between 1970 and 9999",
    "the cursor is none of this service's",
    "the same Idempotency-Key came with another body",
)
# RFC 9110, 13.1.1: If-Match that names another revision, or none, is answered so.
OTHER_REVISION = 412


@schemathesis.check
def valid_requests_are_accepted(ctx: CheckContext, response: Response, case: Case) -> bool | None:
    """As `positive_data_acceptance`, but for what a schema cannot tell beforehand."""
    if response.status_code == OTHER_REVISION and "if-match" in {name.lower() for name in case.headers or {}}:
        return None
    if response.status_code == 422 and _beyond(response):
        return None
    return positive_data_acceptance(ctx, response, case)


def _beyond(response: Response) -> bool:
    body = json.loads(response.content)
    reasons = [each["reason"] for each in body.get("errors", [{"reason": body["detail"]}])]
    return all(any(rule in reason for rule in BEYOND) for reason in reasons)
