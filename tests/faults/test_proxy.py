"""A proxy in front of a mail server: what is held on its way back has happened."""

import socket
from pathlib import Path

import pytest

from deploy.local import mail
from deploy.local.ports import free_port
from deploy.local.processes import wait_until
from tests.faults.instruments.proxy import HOST, Proxy, Way


def test_a_mail_whose_answer_is_held_has_arrived(tmp_path: Path):
    office = mail.sink(tmp_path, free_port())
    office.start()
    letter = b"HELO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nSubject: Hello\r\n\r\nAda\r\n.\r\nQUIT\r\n"
    try:
        with Proxy(f"127.0.0.1:{office.port}") as proxy, socket.create_connection((HOST, proxy.port), 1) as client:
            assert client.recv(100).startswith(b"220")
            proxy.half_open(Way.BACK)
            client.sendall(letter)
            with pytest.raises(TimeoutError):
                client.recv(1)
            wait_until(lambda: any(tmp_path.glob("*.eml")), 10, "the mail")

            proxy.heal()
            client.settimeout(10)
            assert b"250 2.0.0 Kept" in client.makefile("rb").read()
    finally:
        office.stop()
