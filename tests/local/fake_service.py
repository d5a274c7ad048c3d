"""Stands for a service: ready at once, and answers with its own surroundings."""

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        known = {name: value for name, value in os.environ.items() if name.startswith("VICEVERSA_")}
        self.wfile.write(json.dumps(known).encode())


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(os.environ["VICEVERSA_HTTP_PORT"])), Answer).serve_forever()
