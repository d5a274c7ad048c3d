"""A service over real HTTP that answers what a test gives it, and remembers what it was asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Service:
    url: str = ""
    answers: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    listings: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)
    page: int = 2

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        self.asked.append((method, path, body if body is not None else query))
        if method == "GET" and path in self.listings:
            return 200, self._page(self.listings[path], query)
        return self.answers.get((method, path), (404, {"detail": "there is no such thing"}))

    def _page(self, rows: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
        wanted = {name: value for name, value in query.items() if name not in ("limit", "cursor")}
        rows = [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]
        start = int(query.get("cursor", 0))
        more = start + self.page < len(rows)
        return {"items": rows[start : start + self.page], "next": str(start + self.page) if more else None}


@contextmanager
def serving() -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            service.tokens.add(self.headers.get("authorization"))
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, answer = service.answer(self.command, unquote(parts.path), query, body)
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PUT = do_POST = _any

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield service
        finally:
            server.shutdown()
