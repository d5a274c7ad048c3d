"""A local SMTP server that keeps every mail as a file: `python -m deploy.local.mail --port P --dir .local/mails`."""

import os
import signal
from email.parser import BytesHeaderParser
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

BIGGEST_MAIL = 10 * 1024 * 1024


class Keeper:
    """Writes accepted mails as `<number>-<hash of the Message-ID>.eml`; equal hashes are one mail said again."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._number = max((int(path.name.split("-")[0]) for path in folder.glob("*-*.eml")), default=0)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # aiosmtpd's name
        self.keep(envelope.content if isinstance(envelope.content, bytes) else b"", envelope.rcpt_tos)
        return "250 2.0.0 Kept"

    def keep(self, content: bytes, recipients: list[str]) -> Path:
        """The file has its name only once it is whole. A first header line tells the recipients of the envelope."""
        self._number += 1
        path = self._folder / f"{self._number:06}-{_short_hash(content)}.eml"
        draft = path.with_suffix(".part")
        draft.write_bytes(f"X-Envelope-To: {', '.join(recipients)}\r\n".encode() + content)
        draft.replace(path)
        return path


def sink(folder: Path, port: int) -> Controller:
    """An SMTP server in a thread of this process; `start()` and `stop()` it."""
    return Controller(Keeper(folder), hostname="127.0.0.1", port=port, data_size_limit=BIGGEST_MAIL)


def main(port: Annotated[int, typer.Option()], folder: Annotated[Path, typer.Option("--dir")]) -> None:
    """Keep what arrives on 127.0.0.1:PORT until SIGTERM or Ctrl-C."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    server = sink(folder, port)
    server.start()
    typer.echo(f"mails for 127.0.0.1:{port} go to {folder} (process {os.getpid()})")
    signal.sigwait([signal.SIGTERM, signal.SIGINT])
    server.stop()


def _short_hash(content: bytes) -> str:
    return sha256((BytesHeaderParser().parsebytes(content)["Message-ID"] or "").encode()).hexdigest()[:12]


if __name__ == "__main__":
    typer.run(main)
