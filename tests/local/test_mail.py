import smtplib
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

from deploy.local import mail, parts
from deploy.local.ports import free_port


def mail_to(name: str, message_id: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "programme@example.invalid", f"{name}@example.invalid"
    message["Message-ID"] = message_id
    message.set_content("Grüße, you meet on Monday.")
    return message


def send(port: int, *messages: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        for message in messages:
            client.send_message(message)


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("*"))


def test_each_accepted_mail_is_one_whole_file_in_order(tmp_path):
    port = free_port()
    server = mail.sink(tmp_path, port)
    server.start()
    try:
        send(port, mail_to("ada", "<1@viceversa>"), mail_to("grace", "<2@viceversa>"), mail_to("ada", "<1@viceversa>"))
    finally:
        server.stop()

    first, second, third = kept(tmp_path)
    assert [path.name.split("-")[0] for path in (first, second, third)] == ["000001", "000002", "000003"]
    assert first.stem.split("-")[1] == third.stem.split("-")[1] != second.stem.split("-")[1]
    message = message_from_bytes(first.read_bytes())
    assert (message["X-Envelope-To"], message["Message-ID"]) == ("ada@example.invalid", "<1@viceversa>")


def test_the_mail_server_as_a_process_goes_on_counting_after_a_restart(tmp_path):
    server = parts.mail(tmp_path)
    for name in ("ada", "grace"):
        server.start()
        send(server.port, mail_to(name, f"<{name}@viceversa>"))
        assert server.stop()

    assert [path.name.split("-")[0] for path in kept(tmp_path / "mails")] == ["000001", "000002"]
