"""A real Dovecot and a real Exim, of Debian's packages, unprivileged, on free ports of 127.0.0.1.

Exim takes mail for @example.test on its SMTP port and hands it to Dovecot by LMTP. Dovecot's submission port wants a
login, offers STARTTLS and relays to Exim. The local part of a recipient says
what Exim does with it: `greylisted` 451, `full` 452, `abuse` 554, `vanished` is taken and bounces; anything else is a
mailbox whose password is `secret`.
"""

from __future__ import annotations

import grp
import imaplib
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from tests.fakes.house import free_port
from tests.fakes.mail_configurations import DOVECOT, EXIM

USER = "Debian-exim"
"""Compiled into Exim, which runs as nobody else."""
PASSWORD = "secret"
DOMAIN = "example.test"
PEOPLE = ("bot", "bot2", "anna", "ben", "eve", "greylisted")


def why_not() -> str:
    """What is missing to run them; empty when nothing is."""
    if (
        shutil.which("openssl") is None
        or shutil.which("dovecot", path=PATH) is None
        or shutil.which("exim4", path=PATH) is None
    ):
        return (
            "no Dovecot or no Exim: install dovecot-imapd dovecot-lmtpd dovecot-submissiond exim4-daemon-light openssl"
        )
    try:
        uid = pwd.getpwnam(USER).pw_uid
    except KeyError:
        return f"no user {USER}: Debian's exim4 makes it"
    return "" if os.geteuid() in (0, uid) else f"Exim runs as root or {USER} only"


PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass
class MailServers:
    """Where they are, and what people do with them."""

    root: Path
    imap: int
    imaps: int
    smtp: int
    lmtp: int
    submission: int
    submissions: int

    def send(self, message: EmailMessage | bytes, sender: str = "anna", to: tuple[str, ...] = ("bot",)) -> None:
        """As a person's mail program does."""
        raw = message if isinstance(message, bytes) else message.as_bytes(policy=policy.SMTP)
        with smtplib.SMTP("127.0.0.1", self.smtp, "[127.0.0.1]", timeout=20) as smtp:
            envelope = f"{sender}@{DOMAIN}" if sender else ""
            smtp.sendmail(envelope, [f"{each}@{DOMAIN}" for each in to], raw)

    def say(self, text: str, sender: str = "anna", subject: str = "", **headers: str) -> str:
        """A mail with a text; its Message-ID."""
        message = EmailMessage()
        message["From"] = f"{sender.title()} <{sender}@{DOMAIN}>"
        message["To"] = f"bot@{DOMAIN}"
        message["Subject"] = subject
        message["Message-ID"] = headers.pop("message_id", f"<{time.time_ns()}@{sender}.test>")
        for name, value in headers.items():
            message[name.replace("_", "-")] = value
        message.set_content(text)
        self.send(message, sender)
        return str(message["Message-ID"])

    def is_read(self, person: str) -> bool:
        """Whether somebody waits in IDLE for their mail."""
        done = subprocess.run(
            [
                shutil.which("doveadm", path=PATH) or "doveadm",
                "-c",
                str(self.root / "dovecot.conf"),
                "who",
                "-1",
                person,
            ],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        return person in done.stdout

    def logins(self, person: str) -> int:
        """How often somebody tried to log in with a wrong password."""
        path = self.root / "dovecot.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return sum(f"({person}," in line and "assword mismatch" in line for line in lines)

    def login(self, person: str) -> imaplib.IMAP4:
        """Their mailbox."""
        box = imaplib.IMAP4("127.0.0.1", self.imap, timeout=20)
        box.login(person, PASSWORD)
        return box

    def mails(self, person: str, folder: str = "INBOX") -> list[EmailMessage]:
        """What is in a folder, oldest first."""
        box = self.login(person)
        try:
            if box.select(folder, readonly=True)[0] != "OK":
                return []
            numbers = box.search(None, "ALL")[1][0].split()
            found = [box.fetch(number.decode(), "(BODY.PEEK[])")[1][0] for number in numbers]
            return [message_from_bytes(each[1], policy=policy.default) for each in found]  # type: ignore[misc,index]
        finally:
            box.logout()

    def texts(self, person: str, folder: str = "INBOX") -> list[str]:
        """The plain texts of a folder's mails."""
        return [text_of(mail) for mail in self.mails(person, folder)]

    def wait_for(self, person: str, count: int = 1, folder: str = "INBOX", seconds: float = 25) -> list[EmailMessage]:
        """A folder's mails once there are so many."""
        deadline = time.monotonic() + seconds
        while len(found := self.mails(person, folder)) < count:
            assert time.monotonic() < deadline, f"{person} has {len(found)} of {count} mails; {self.log()}"
            time.sleep(0.1)
        return found

    def flags(self, person: str, folder: str = "INBOX") -> list[bytes]:
        """Of each mail of a folder."""
        box = self.login(person)
        try:
            box.select(folder, readonly=True)
            return [each for each in box.fetch("1:*", "(FLAGS)")[1] if isinstance(each, bytes)]
        finally:
            box.logout()

    def lock_out(self, person: str) -> None:
        """Whatever they log in with from now on is wrong; who is logged in stays so."""
        path = self.root / "users"
        lines = path.read_text().splitlines()
        path.write_text(
            "".join(
                f"{line}\n" if not line.startswith(f"{person}:") else f"{person}:{{PLAIN}}-::::::\n" for line in lines
            )
        )

    def empty(self) -> None:
        """Throw away every mailbox: afterwards all UIDs are new ones."""
        for person in PEOPLE:
            shutil.rmtree(self.root / "mail" / person, ignore_errors=True)

    def log(self) -> str:
        """The last lines of Exim's."""
        path = self.root / "exim-mainlog"
        return path.read_text()[-1500:] if path.exists() else ""

    def greylist(self, is_on: bool = True) -> None:
        """Whether `greylisted` is answered 451."""
        (self.root / "known").unlink(missing_ok=True) if is_on else (self.root / "known").touch()


def text_of(mail: EmailMessage) -> str:
    """A mail's plain text."""
    body = mail.get_body(("plain",))
    return body.get_content().replace("\r\n", "\n") if body is not None else ""


@contextmanager
def running() -> Iterator[MailServers]:
    """Both, started."""
    user = pwd.getpwnam(USER)
    root = Path(tempfile.mkdtemp(prefix="mail-", dir="/tmp"))
    imap, imaps, smtp, lmtp, submission, submissions = (free_port() for _ in range(6))
    names = {
        "root": root,
        "user": USER,
        "group": grp.getgrgid(user.pw_gid).gr_name,
        "uid": user.pw_uid,
        "gid": user.pw_gid,
        "imap": imap,
        "imaps": imaps,
        "smtp": smtp,
        "lmtp": lmtp,
        "submission": submission,
        "submissions": submissions,
        "program": shutil.which("exim4", path=PATH),
    }
    (root / "dovecot.conf").write_text(DOVECOT.format(**names))
    (root / "exim.conf").write_text(EXIM.format(**names))
    (root / "users").write_text("".join(f"{name}:{{PLAIN}}{PASSWORD}::::::\n" for name in PEOPLE))
    certify(root)
    for folder in ("run", "state", "mail", "spool"):
        (root / folder).mkdir()
    for path in (root, *root.iterdir()):
        os.chown(path, user.pw_uid, user.pw_gid)
    (root / "exim.conf").chmod(0o644)
    started: list[subprocess.Popen[bytes]] = []
    programs = (
        ["dovecot", "-F", "-c", str(root / "dovecot.conf")],
        ["exim4", "-C", str(root / "exim.conf"), "-bdf", "-q2s"],
    )
    try:
        for arguments in programs:
            program = shutil.which(arguments[0], path=PATH) or arguments[0]
            with open(root / f"{arguments[0]}.out", "wb") as out:
                started.append(
                    subprocess.Popen(
                        [program, *arguments[1:]],
                        stdout=out,
                        stderr=out,
                        cwd="/",
                        env={"PATH": PATH, "LANG": "C.UTF-8"},
                        start_new_session=True,
                        **as_user(user),
                    )
                )
        for port in (imap, smtp, lmtp, submission):
            wait_for(port, started, root)
        yield MailServers(root, imap, imaps, smtp, lmtp, submission, submissions)
    finally:
        for process in started:
            stop(process)
        shutil.rmtree(root, ignore_errors=True)


def certify(root: Path) -> None:
    """A self-signed certificate, as the Proton Bridge has one."""
    program = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    files = ["-keyout", str(root / "key.pem"), "-out", str(root / "cert.pem")]
    subprocess.run([*program, *files], check=True, capture_output=True, timeout=60)


def as_user(user: pwd.struct_passwd) -> dict[str, object]:
    """Drop to the user where we are root."""
    if os.geteuid() != 0:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def stop(process: subprocess.Popen[bytes]) -> None:
    """The master and whatever it started: they are a session of their own."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def wait_for(port: int, processes: list[subprocess.Popen[bytes]], root: Path) -> None:
    """Until somebody listens."""
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            dead = [process for process in processes if process.poll() is not None]
            said = "".join(path.read_text() for path in root.glob("*.out"))
            assert not dead, f"a mail server did not start: {said}"
            assert time.monotonic() < deadline, f"nobody listens on {port}: {said}"
            time.sleep(0.05)
        else:
            return
