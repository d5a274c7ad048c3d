"""Requests written by hand to break a service: each is refused in a sentence that names the remedy.

Connections that send a byte a minute are the business of the ingress, which bounds them: uvicorn has no such limit.
"""

import json
from typing import Any

import httpx
import pytest

from tests.doors.served import INTERNALS, SERVICES, Doors
from tests.doors.wire import exchange, request, status
from tests.wishes import ADA, PROGRAM

JSON = b"Content-Type: application/json"
WRITES = {
    "matching": ("PUT", "/programs/2026"),
    "scheduling": ("POST", "/sessions/s-1/confirm"),
    "notifications": ("POST", "/bounces"),
}
BODIES = {
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"policy":' * 50_000 + b"1" + b"}" * 50_000,
    "a nul byte": b'{"name": "a\x00b"}',
    "nul bytes alone": b"\x00" * 1000,
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "a half character": b'{"\\ud800": "\\udfff"}',
    "not JSON": b"name=Ada",
    "cut off": b'{"name": "Ada"',
    "two documents": b"{} {}",
    "no number": b'{"by": NaN, "address": Infinity}',
    "a huge number": b'{"address": ' + b"9" * 5000 + b"}",
    "null": b"null",
    "another type": b"[]",
    "a text": b'"Ada"',
    "UTF-16": '{"name": "Ada"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"name": "Ada"}',
    "many fields": json.dumps({f"field{number}": number for number in range(20_000)}).encode(),
    "a key twice": b'{"address": "ada@engines.invalid", "address": 7, "by": "mentor", "by": 3, "name": 1, "name": 2}',
    "dollars and dots": b'{"$where": "1", "a.b": 1, "": 2, "__proto__": {}}',
    "nothing": b"",
}


def told(answer: bytes, *expected: int) -> dict[str, Any]:
    """The problem that a raw answer holds; it is one of these and tells nothing of the inside."""
    assert status(answer) in expected, answer[:400]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head, answer[:400]
    assert not INTERNALS.search(body.decode()), body
    problem: dict[str, Any] = json.loads(body)
    assert len(problem["detail"]) > 10
    return problem


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("kind", BODIES)
def test_a_body_that_is_no_wish_is_refused(doors: Doors, service: str, kind: str) -> None:
    method, path = WRITES[service]
    problem = told(exchange(doors.address(service), request(method, path.encode(), BODIES[kind], JSON)), 400, 422)
    if problem["status"] == 400:
        assert "JSON" in problem["detail"]
    else:
        assert all(each["field"] and each["reason"] for each in problem["errors"])
        assert len(problem["errors"]) <= 50


@pytest.mark.parametrize("service", SERVICES)
def test_a_huge_body_is_refused_before_it_is_read(doors: Doors, service: str) -> None:
    method, path = WRITES[service]
    body = b'{"name": "' + b"a" * 30_000_000 + b'"}'
    with doors.client(service) as client:
        answer = client.request(method, path, content=body, headers={"content-type": "application/json"})
        assert (answer.status_code, "2097152 bytes" in answer.json()["detail"]) == (413, True)
        chunked = client.request(method, path, content=iter([body]), headers={"content-type": "application/json"})
        assert chunked.status_code == 413


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json", ";", ""]
)
def test_another_content_type_is_refused_and_told_which_one_is_read(doors: Doors, service: str, kind: str) -> None:
    method, path = WRITES[service]
    sent = request(method, path.encode(), b'{"by": "mentor"}', *([f"Content-Type: {kind}".encode()] if kind else []))
    assert "application/json" in told(exchange(doors.address(service), sent), 415)["detail"]


@pytest.mark.parametrize(
    "sent",
    [
        request("PUT", b"/programs/2026", b"zz\r\n{}\r\n0\r\n\r\n", JSON, b"Transfer-Encoding: chunked", length=False),
        request("PUT", b"/programs/2026", b"", JSON, b"Content-Length: -1", length=False),
        request("PUT", b"/programs/2026", b"{}", JSON, b"Content-Length: 2", b"Content-Length: 9", length=False),
        request("PUT", b"/programs/2026", b"{}", JSON, b"X-Folded: a\r\n b\x00"),
        request("PUT", b"/programs/2026", b"{}", JSON, b"If-Match: 1\r\nX: \x00"),
        request("PUT", b"/programs/2026", b"{}", JSON, b"No colon here"),
        b"GET /\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_the_next_request_is_served(doors: Doors, sent: bytes) -> None:
    answer = exchange(doors.address("matching"), sent)
    assert status(answer) in (0, 400, 401, 422), answer[:300]
    assert not INTERNALS.search(answer.decode("latin-1"))
    with doors.client("matching") as client:
        assert client.get("/programs/2026").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        b"/../../../../etc/passwd",
        b"/programs/..%2f..%2fetc%2fpasswd",
        b"/programs/%2e%2e/%2e%2e/etc/passwd",
        b"/programs/%00",
        b"/programs/%ff%fe",
        b"/programs/a%0d%0aSet-Cookie:%20mina=1",
        b"/programs/%F0%9F%99%88",
        b"/programs/" + b"a" * 20_000,
        b"/programs//participants/",
        b"/programs/2026%20",
        b"/pairs/%7B%22$ne%22:null%7D",
        b"/pairs/{pair_id}",
        b"//programs/2026",
        b"/programs/2026/participants/ada%2F..%2Fgrace",
        b"/programs/2026/pairs?participant_id[$ne]=x&state=%00",
        b"/programs/2026/pairs?participant_id=%7B%7D",
        b"/programs/2026/pairs?limit=99999999999999999999999",
        b"/programs/2026/pairs?limit=1e3",
        b"/programs/2026/pairs?limit=-1&limit=0",
        b"/programs/2026/pairs?cursor=%00",
        b"/programs/2026/pairs?cursor=" + b"A" * 5000,
        b"/programs/2026/pairs?cursor=_w==",
        b"/programs/2026/rounds/%ed%a0%80",
        b"/dead-letters?state[$gt]=&state=nothing",
        b"/dead-letters/..%5c..%5c",
        b"/dead-letters?since=0.5",
        b"/dead-letters/summary?until=-1.4e-45",
    ],
)
def test_a_path_or_query_that_leads_nowhere_is_refused(doors: Doors, path: bytes) -> None:
    told(exchange(doors.address("matching"), request("GET", path)), 404, 422)


def test_long_queries_and_foreign_cursors_are_harmless(doors: Doors) -> None:
    with doors.client("matching") as client:
        for query in ("x=" + "y" * 50_000, "&".join(f"p{number}=1" for number in range(5_000)), "cursor=enp6", "%00=1"):
            assert client.get(f"/programs/2026/pairs?{query}").status_code == 200


def test_a_header_cannot_be_smuggled_into_an_answer(doors: Doors) -> None:
    for path in (b"/programs/x%0d%0aX-Mina:%201", b"/programs/2026/rounds/x%0d%0aX-Mina:%201", b"/x%0aX-Mina:1"):
        answer = exchange(doors.address("matching"), request("GET", path))
        assert status(answer) in (404, 422)
        assert b"x-mina" not in answer.partition(b"\r\n\r\n")[0].lower()


def test_a_path_has_other_methods_and_allow_names_all_of_them(doors: Doors) -> None:
    with doors.client("matching") as client:
        for method in ("PATCH", "POST", "TRACE", "OPTIONS", "BREW"):
            answer = client.request(method, "/programs/2026/participants/ada")
            assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, PUT")
            assert "Allow" in answer.json()["detail"]


def test_an_idempotency_key_is_good_for_one_body(doors: Doors) -> None:
    key = {"Idempotency-Key": "mina-7"}
    with doors.client("matching") as client:
        first = client.put("/programs/key-2026", json=PROGRAM, headers=key)
        again = client.put("/programs/key-2026", json=PROGRAM, headers=key)
        other = client.put("/programs/key-2026", json=PROGRAM | {"name": "Another"}, headers=key)
        assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
        assert (other.status_code, other.json()["reason"]) == (422, "idempotency_key_reused")
        for bad in ("a b", "x" * 201, "é"):
            wrong = client.put("/programs/key-2026", json=PROGRAM, headers={b"Idempotency-Key": bad.encode()})
            assert wrong.status_code == 422


@pytest.mark.parametrize("token", ["-", "wrong", "Bearer", "\x7f" * 5_000, "é"])
def test_a_wrong_token_opens_nothing(doors: Doors, token: str) -> None:
    for service in SERVICES:
        answer = httpx.get(
            f"{doors.address(service)}/dead-letters", headers={b"Authorization": b"Bearer " + token.encode()}
        )
        assert answer.status_code == 401
        assert "VICEVERSA_API_TOKEN" in answer.json()["detail"]


def test_numbers_and_times_are_not_guessed_from_other_json_types(doors: Doors) -> None:
    with doors.client("matching") as client, doors.client("scheduling") as scheduling:
        for change in ({"grade": "5"}, {"grade": True}, {"consent": {"matching": 1}}, {"enrolled_at": 1_700_000_000}):
            answer = client.put("/programs/2026/participants/eve", json=ADA | change)
            assert (answer.status_code, len(answer.json()["errors"])) == (422, 1)
        assert client.put(
            "/programs/2026/participants/eve",
            content=json.dumps(ADA | {"grade": 5.0}),
            headers={"content-type": "application/json"},
        ).status_code in (200, 201)
        session = doors.ids["session_id"]
        assert scheduling.post(f"/sessions/{session}/complete", json={"by": "mentor", "rating": "4"}).status_code == 422


def test_health_stays_green_after_all_this(doors: Doors) -> None:
    for service in SERVICES:
        with doors.client(service, token=None) as client:
            assert client.get("/health/live").status_code == client.get("/health/ready").status_code == 200
