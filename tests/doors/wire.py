"""HTTP as bytes on a connection, for requests that no well-behaved client would send."""

import socket
from contextlib import suppress
from urllib.parse import urlsplit

from tests.doors.served import TOKEN


def exchange(address: str, sent: bytes, seconds: float = 20) -> bytes:
    """All that is answered until the other side closes, or has answered and waits for more."""
    parts = urlsplit(address)
    assert parts.hostname
    assert parts.port
    with socket.create_connection((parts.hostname, parts.port), timeout=seconds) as connection:
        # It may answer, and close, before it has read everything.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(sent)
        return _all(connection)


def _all(connection: socket.socket) -> bytes:
    answer = b""
    with suppress(ConnectionResetError):
        while not _whole(answer) and (part := connection.recv(65_536)):
            answer += part
    return answer


def _whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), None)
    return bool(found) and length is not None and len(body) >= int(length.partition(b":")[2])


def request(method: str, path: bytes, body: bytes = b"", *headers: bytes, length: bool = True) -> bytes:
    """A request with the token; `headers` are whole lines."""
    lines = [method.encode() + b" " + path + b" HTTP/1.1", b"Host: doors", b"Authorization: Bearer " + TOKEN.encode()]
    lines += [b"Content-Length: %d" % len(body)] if length else []
    return b"\r\n".join([*lines, *headers, b"", body])


def status(answer: bytes) -> int:
    """0 where the connection was closed without a word."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0
