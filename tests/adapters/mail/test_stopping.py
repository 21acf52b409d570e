"""The end of the process, with a mail server that holds everything up."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.fakes.house import House


def test_a_mail_server_that_says_nothing_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        port = silent.getsockname()[1]
        env = {
            "BULKHEAD_MAIL_ADDRESS": "bot@example.test",
            "BULKHEAD_MAIL_PASSWORD": "secret",
            "BULKHEAD_MAIL_IMAP_URL": f"imap://127.0.0.1:{port}",
            "BULKHEAD_MAIL_SMTP_URL": f"smtp://127.0.0.1:{port}",
        }
        house = House(tmp_path / "home", env=env)
        try:
            house.start()
            connection, _ = silent.accept()
            with connection:
                assert house.stop() == 0  # it waits for less than the server may take to answer
        finally:
            house.kill()
            house.close()
