"""The HTTP routes of notifications."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict

from libs.chassis.documents import from_row
from libs.chassis.http import Cursor, IfMatch, Limit, Obeys, Store, page
from libs.chassis.openapi import Page, answers
from libs.contracts.fields import Email
from libs.contracts.ids import ID_PATTERN, ParticipantId, ProgramId
from services.notifications.commands import ReportBounce, SetPreferences
from services.notifications.shapes import NoticeShown, PreferencesShown, Reached
from services.notifications.store.notices import KeptNotice
from services.notifications.store.people import Person, Preferences

router = APIRouter(tags=["notifications"])

ProgramPath = Annotated[str, Path(pattern=ID_PATTERN)]
ParticipantPath = Annotated[str, Path(pattern=ID_PATTERN)]

_PERSON = "/programs/{program_id}/participants/{participant_id}"


class Bounce(BaseModel):
    """An address that mail came back from."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    address: Email


@router.get(_PERSON + "/notices", response_model=None, responses=answers(Page[NoticeShown]))
async def list_notices(
    program_id: ProgramPath, participant_id: ParticipantPath, store: Store, limit: Limit = 100, cursor: Cursor = None
) -> dict[str, Any]:
    """What a person was told and will be told; neither the words nor the address."""
    person = await _person(store, program_id, participant_id)
    rows, after = await page(store, KeptNotice.collection, {"person": person.id}, limit, cursor)
    return {"items": [_shown(from_row(KeptNotice, row)) for row in rows], "next": after}


@router.get(_PERSON + "/preferences", responses=answers(PreferencesShown, etag=True))
async def read_preferences(program_id: ProgramPath, participant_id: ParticipantPath, store: Store) -> Response:
    """How the person is told; the ETag is the revision of what the person wished."""
    person = await _person(store, program_id, participant_id)
    if person.contact is None:
        raise HTTPException(404, "nobody of this id is enrolled: check both ids")
    return JSONResponse(person.wishes, headers={"ETag": f'"{person.preferences_revision}"'})


@router.put(_PERSON + "/preferences", responses=answers(PreferencesShown, etag=True))
async def set_preferences(
    program_id: ProgramPath, participant_id: ParticipantPath, wished: Preferences, obey: Obeys, if_match: IfMatch
) -> Response:
    """Say how the person wants to be told; what is left out is the profile's and the programme's again."""
    wish = SetPreferences(
        program_id=ProgramId(program_id),
        participant_id=ParticipantId(participant_id),
        preferences=wished,
        expected=if_match,
    )
    return await obey(wish)


@router.post("/bounces", responses=answers(Reached))
async def report_bounce(bounce: Bounce, obey: Obeys) -> Response:
    """Nothing more goes to the address; answers how many participants have it."""
    return await obey(ReportBounce(address=bounce.address))


async def _person(store: Store, program_id: str, participant_id: str) -> Person:
    rows = await store.find(Person.collection, {"_id": f"{program_id}/{participant_id}"})
    if not rows:
        raise HTTPException(404, "nobody of this id is known: check both ids")
    return from_row(Person, rows[0])


def _shown(kept: KeptNotice) -> dict[str, Any]:
    notice = kept.told
    return {
        "notification_id": kept.id,
        "template": notice.template,
        "channel": kept.channel,
        "state": kept.state,
        "reason": kept.reason or None,
        "about": {"topic": notice.topic, "event_id": notice.event_id},
        "message_id": notice.message_id,
        "planned_at": kept.planned_at,
        "settled_at": kept.settled_at,
        "attempts": kept.attempts,
    }
