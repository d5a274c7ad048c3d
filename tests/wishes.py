"""What is asked of matching by HTTP: a programme, and two people whom it may pair."""

from libs.contracts import examples

PROGRAM = examples.PROGRAM_PUBLISHED.model_dump(mode="json", include={"name", "state", "policy"})
PROFILE = examples.PARTICIPANT_ENROLLED.model_dump(
    mode="json", exclude={"program_id", "participant_id", "revision", "enrolled_at"}
)
ADA = PROFILE | {"name": "Ada", "manager_ids": ["mina"], "preferred_ids": []}
GRACE = PROFILE | {
    "name": "Grace",
    "role": "mentee",
    "grade": 12,
    "unit": "Retail",
    "manager_ids": [],
    "preferred_ids": [],
    "goals": [{"topic": "generative-ai", "priority": 5}],
}
