"""Records that nobody can handle, each with the reason under which it has to be parked."""

from collections.abc import Callable
from dataclasses import replace

from libs.contracts.envelope import Reason
from tests.faults.driver.orders import Say


def _no_json(said: Say) -> Say:
    return replace(said, value=b"{oops", poison=Reason.INVALID_JSON)


def _no_text(said: Say) -> Say:
    return replace(said, value=b"\xff\xfe\xfd", poison=Reason.NOT_UTF8)


def _no_id(said: Say) -> Say:
    kept = tuple(header for header in said.headers if header[0] != "ce_id")
    return replace(said, headers=kept, poison=Reason.MISSING_ATTRIBUTE)


def _nobodys_key(said: Say) -> Say:
    return replace(said, key=f"{said.key}-else", poison=Reason.KEY_MISMATCH)


def _no_grade(said: Say) -> Say:
    return replace(said, value=(said.value or b"").replace(b'"grade"', b'"rank"'), poison=Reason.INVALID_DATA)


def _null(said: Say) -> Say:
    return Say("pair-created", said.key.replace("/", "-"), None, said.headers, poison=Reason.NULL_VALUE)


POISONS: tuple[Callable[[Say], Say], ...] = (_no_json, _no_text, _no_id, _nobodys_key, _no_grade, _null)
