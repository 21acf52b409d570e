"""Each verb as a process of its own, with and without --json: what it prints, where, and its exit code."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli import main
from tests.fakes.command import bulkhead
from tests.fakes.environment import REPO
from tests.fakes.house import House


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running server."""
    house = House(tmp_path_factory.mktemp("served") / "home")
    house.start()
    yield house
    house.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home on which no server runs."""
    folder = tmp_path_factory.mktemp("idle") / "home"
    assert bulkhead("migrate", home=folder).returncode == 0
    return folder


def objects(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_ask_prints_the_answer_of_the_running_server(served: House) -> None:
    done = bulkhead("ask", "/help", home=served.home)
    assert (done.returncode, done.stderr) == (0, "")
    assert "/diagram" in done.stdout
    (answer,) = objects(bulkhead("ask", "/help", "--json", home=served.home).stdout)
    assert answer["kind"] == "message"
    assert "/diagram" in str(answer["text"])


def test_ask_without_a_server_opens_the_house_for_one_question(home: Path) -> None:
    done = bulkhead("ask", "-", home=home, stdin="/pending")
    assert (done.returncode, done.stdout.strip()) == (0, "Nothing waits for a decision.")


def test_a_request_is_approved_by_the_command_its_card_prints(served: House) -> None:
    card = bulkhead("ask", "/run workspace.write-note name=a.txt text=hello", home=served.home)
    assert card.returncode == 0, card.stderr
    found = re.search(r"Approve: bulkhead (ask .*)", card.stdout)
    assert found, card.stdout
    done = bulkhead(*found[1].split(), home=served.home)
    assert done.returncode == 0, done.stderr
    assert "**Done**" in done.stdout
    again = bulkhead(*found[1].split(), home=served.home)
    assert again.returncode == 1
    assert "already decided" in again.stdout


def test_a_picture_is_approved_from_the_console(served: House) -> None:
    (shown,) = [
        answer
        for answer in objects(bulkhead("ask", "--json", "/diagram flowchart LR; a-->b", home=served.home).stdout)
        if answer["kind"] != "working"
    ]
    buttons = {button["label"]: button["value"] for button in shown["buttons"]}  # type: ignore[attr-defined]
    press = ["ask", "--conversation", str(shown["conversation"]), "--press", buttons["Approve"], "--json"]
    (edited,) = objects(bulkhead(*press, home=served.home).stdout)
    assert edited["key"] == shown["key"]
    assert "Approved by" in str(edited["text"])


def test_ask_says_in_one_sentence_what_cannot_be_sent(served: House) -> None:
    for arguments, stdin, words in (
        (["ask", ""], "", "empty"),
        (["ask", "-"], b"\xff\xfe", "not UTF-8"),
        (["ask", os.fsdecode(b"caf\xe9")], "", "not UTF-8"),
        (["ask", "-"], "x" * 2_000_000, "at most"),
        (["ask", "x", "--conversation", "a:b"], "", "not a name"),
        (["ask", "x", "--as", "nobody"], "", "no [people.nobody]"),
    ):
        done = bulkhead(*arguments, home=served.home, stdin=stdin)
        assert done.returncode == 2
        assert words in done.stderr
        assert done.stderr.count("\n") == 1
    told = bulkhead("ask", "", "--json", home=served.home)
    assert (told.returncode, told.stderr) == (2, "")
    (error,) = objects(told.stdout)
    assert error["ok"] is False
    assert "empty" in str(error["error"])


def test_a_question_whose_server_stops_is_told_so_and_not_asked_again(tmp_path: Path) -> None:
    house = House(tmp_path / "home")
    house.start()
    slow = tmp_path / "home" / "capabilities" / "host.wait.toml"
    slow.write_text(
        'id = "host.wait"\ntitle = "Wait"\ndescription = "Waits."\nscope = "host"\nrisk = 0\nargv = ["sleep", "30"]\n'
    )
    house.stop()
    house.start()
    command = [sys.executable, "-m", "bot", "ask", "/run host.wait", "--home", str(house.home)]
    asking = subprocess.Popen(command, cwd=REPO, env=house.env, stderr=subprocess.PIPE, text=True)
    assert asking.stderr is not None
    assert asking.stderr.readline().startswith("... ")  # it is being worked on
    house.kill()
    _, complaint = asking.communicate(timeout=20)
    assert asking.returncode == 2
    assert "stopped before it had answered" in complaint
    house.close()


def test_link_prints_a_link_or_says_that_no_server_runs(served: House, home: Path) -> None:
    done = bulkhead("link", home=served.home)
    assert re.fullmatch(rf"http://127\.0\.0\.1:{served.port}/#token=\S+\n", done.stdout)
    (told,) = objects(bulkhead("link", "--json", home=served.home).stdout)
    assert told["ok"] is True
    missing = bulkhead("link", home=home)
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "no server answers" in missing.stderr


def test_the_console_works_in_a_home_whose_path_is_too_long_for_a_socket(tmp_path: Path) -> None:
    house = House(tmp_path / ("long" * 30) / "home")
    house.home.parent.mkdir()
    house.start()
    assert (house.home / "console.sock").stat().st_mode & 0o777 == 0o600
    done = bulkhead("ask", "/pending", home=house.home)
    assert (done.returncode, done.stdout.strip()) == (0, "Nothing waits for a decision.")
    house.kill()  # and leaves its socket behind
    done = bulkhead("ask", "/pending", home=house.home)
    assert (done.returncode, done.stdout.strip()) == (0, "Nothing waits for a decision.")
    house.start()
    assert bulkhead("link", home=house.home).returncode == 0
    house.close()


def test_audit_verify_reads_beside_a_running_server(served: House) -> None:
    done = bulkhead("audit", "verify", home=served.home)
    assert (done.returncode, done.stderr) == (0, "")
    assert "is whole" in done.stdout
    (told,) = objects(bulkhead("audit", "verify", "--json", home=served.home).stdout)
    assert told["ok"] is True


def test_audit_verify_tells_where_the_trail_was_changed(home: Path) -> None:
    import sqlite3

    card = bulkhead("ask", "/run workspace.write-note name=a.txt text=hello", home=home)
    assert card.returncode == 0, card.stderr
    with sqlite3.connect(home / "bulkhead.db") as file:
        file.execute("DROP TRIGGER audit_no_update")
        file.execute("UPDATE audit SET body = '{}' WHERE seq = 1")
    file.close()
    done = bulkhead("audit", "verify", home=home)
    assert done.returncode == 1
    assert "BROKEN at entry 1" in done.stdout


def test_migrate_and_db_copy_say_what_they_did(tmp_path: Path) -> None:
    done = bulkhead("migrate", home=tmp_path / "a")
    assert (done.returncode, done.stdout) == (0, "the schema is up to date\n")
    assert objects(bulkhead("migrate", "--json", home=tmp_path / "a").stdout) == [{"ok": True}]
    bulkhead("ask", "/help", home=tmp_path / "a")
    source, target = f"sqlite:///{tmp_path}/a/bulkhead.db", f"sqlite:///{tmp_path}/b.db"
    (told,) = objects(bulkhead("db", "copy", source, target, "--json").stdout)
    assert told["ok"] is True
    assert told["tables"]["inbox"] == 1  # type: ignore[index]
    again = bulkhead("db", "copy", source, target)
    assert again.returncode == 2
    assert "not empty" in again.stderr
    typo = bulkhead("db", "copy", f"sqlite:///{tmp_path}/typo.db", target)
    assert typo.returncode == 2
    assert not (tmp_path / "typo.db").exists()


def test_a_database_in_use_is_named_with_its_holder(served: House) -> None:
    done = bulkhead("migrate", home=served.home)
    assert done.returncode == 2
    assert served.process is not None
    assert f"in use by process {served.process.pid}" in done.stderr


def test_draw_writes_a_picture_or_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.mmd").write_text("flowchart LR; a-->b")
    done = bulkhead("draw", str(tmp_path / "a.mmd"), "-o", str(tmp_path / "a.png"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    piped = bulkhead("draw", "-", "-o", str(tmp_path / "b.png"), "--json", stdin="flowchart LR; a-->b")
    (told,) = objects(piped.stdout)
    assert (told["ok"], told["nodes"]) == (True, ["a", "b"])
    bad = bulkhead("draw", "-", "-o", str(tmp_path / "c.png"), stdin="flowchart LR; a--")
    assert bad.returncode == 2
    assert bad.stderr.count("\n") == 1


def test_a_batch_has_one_line_out_for_each_line_in(tmp_path: Path) -> None:
    lines = ['{"text": "flowchart LR; a-->b"}', "{", '{"other": 1}', '{"text": "flowchart LR; a-->"}']
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    done = bulkhead("draw", "--batch", str(tmp_path / "in.jsonl"), "--no-render")
    assert [line["ok"] for line in objects(done.stdout)] == [True, False, False, False]
    routed = bulkhead("route", "--batch", "-", stdin="\n".join(lines), home=tmp_path / "home")
    assert [line["ok"] for line in objects(routed.stdout)] == [True, False, False, True]


def test_route_tells_the_shape_of_a_text(tmp_path: Path) -> None:
    done = bulkhead("route", "fix this python function", home=tmp_path)
    assert (done.returncode, done.stdout.startswith("shape code")) == (0, True)
    (told,) = objects(bulkhead("route", "-", "--json", home=tmp_path, stdin="hello").stdout)
    assert told["shape"] == "cheap"
    assert isinstance(told["score"], float)
    explained = bulkhead("route", "explain", "fix this python function", home=tmp_path)
    assert explained.stdout == done.stdout
    assert "\ndifficulty " in explained.stdout


def test_doctor_looks_at_every_part(home: Path) -> None:
    done = bulkhead("doctor", home=home)
    assert done.returncode in (0, 1)
    assert "git" in done.stdout
    (told,) = objects(bulkhead("doctor", "--json", home=home).stdout)
    assert told


def test_a_reader_who_has_had_enough_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "hello there"}\n' * 3000)
    command = [sys.executable, "-m", "bot", "route", "--batch", str(tmp_path / "in.jsonl"), "--home", str(tmp_path)]
    process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(60) == 0


def test_a_closed_standard_output_is_no_traceback(tmp_path: Path) -> None:
    command = f"exec {sys.executable} -m bot route hello --home {tmp_path} >&-"
    done = subprocess.run(["bash", "-c", command], cwd=REPO, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_second_signal_ends_a_server_that_is_still_stopping(tmp_path: Path) -> None:
    house = House(tmp_path / "home")
    house.start()
    slow = house.home / "capabilities" / "host.wait.toml"
    slow.write_text(
        'id = "host.wait"\ntitle = "Wait"\ndescription = "Waits."\nscope = "host"\nrisk = 0\nargv = ["sleep", "30"]\n'
    )
    house.stop()
    house.start()
    house.sign_in()
    house.say("/run host.wait")
    house.wait_for(lambda event: event["kind"] == "working")
    assert house.process is not None
    house.process.send_signal(signal.SIGTERM)
    time.sleep(0.7)
    house.process.send_signal(signal.SIGTERM)
    assert house.process.wait(3) == -signal.SIGTERM
    house.close()


@pytest.mark.parametrize(
    "verb", ["serve", "ask", "link", "draw", "route", "doctor", "audit", "secret", "executor", "migrate", "db"]
)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([verb, "--help"])
    assert "--json" in capsys.readouterr().out


def test_a_broken_file_or_setting_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "bulkhead.toml").write_text("[people.owner\n")
    for env, words in (({}, "not TOML"), ({"BULKHEAD_PORT": "many"}, "BULKHEAD_PORT")):
        done = bulkhead("serve", home=tmp_path, **env)
        assert done.returncode == 2
        assert words in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_file_that_names_nobody_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "bulkhead.toml").write_text("")
    done = bulkhead("ask", "/help", home=tmp_path)
    assert done.returncode == 2
    assert "names nobody" in done.stderr


def test_the_version_is_that_of_the_package() -> None:
    done = bulkhead("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"bulkhead \d+\.\d+\.\d+\n", done.stdout)


def test_routing_is_measured_on_the_data_of_a_folder(shared: Path, tmp_path: Path) -> None:
    data = str(shared / "data")
    done = bulkhead("eval", "routing", "--data", data, "--only", "contract", "--quick", "--json", home=tmp_path)
    assert set(json.loads(done.stdout)) == {"contract"}
    wrong = bulkhead("eval", "routing", "--data", str(tmp_path), "--json", home=tmp_path)
    assert wrong.returncode == 2
    assert "has no routellm/mmlu.jsonl.gz" in json.loads(wrong.stdout)["error"]
