"""The command line: `bulkhead serve | ask | link | draw | route | doctor | control | ...`. Each verb has --json.

A failure is one sentence on standard error (with --json one object on standard output) and exit code 2; a check that
found something is exit code 1. What nobody foresaw is one sentence too, with its traceback in the log and exit code 70.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import version
from typing import NoReturn

from bot.cli import auditing, batch, contract, custody, drawing, evaluating, mcp, records, serving
from bot.cli.control import add_control_verb
from bot.cli.logs import set_up_logging
from bot.cli.patch import add_patch_verb
from bot.config import Settings, load_settings
from layers.errors import BulkheadError, Misconfigured

log = logging.getLogger(__name__)

INTERNAL = 70
"""The exit code of a bug; EX_SOFTWARE of sysexits.h."""

Verb = Callable[[argparse.Namespace, Settings], Awaitable[int]]


class Parser(argparse.ArgumentParser):
    """argparse whose complaints are ours: one sentence, or one object with --json."""

    def error(self, message: str) -> NoReturn:
        """What is wrong with the command.

        Raises:
            Misconfigured: always.
        """
        raise Misconfigured(f"{message}; `{self.prog} --help` shows how")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    for name in ("stdout", "stderr"):  # closed by whoever started us: what is said goes nowhere
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  as long as the process
    given = sys.argv[1:] if arguments is None else list(arguments)
    is_json = "--json" in given
    try:
        parsed = make_parser().parse_args(given)
        settings = load_settings(**overrides(parsed))
        set_up_logging(settings.log_level, settings.log_format)
        code: int = asyncio.run(parsed.run(parsed, settings))
        sys.stdout.flush()
        return code
    except BulkheadError as error:
        complain(str(error), is_json=is_json)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # whoever read our output has had enough; the interpreter flushes once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        log.exception("cli.failed")
        sentence = f"something broke inside Bulkhead ({type(error).__name__}: {error}); the log has the details"
        complain(" ".join(sentence.split()), is_json=is_json)
        return INTERNAL


def complain(sentence: str, *, is_json: bool) -> None:
    """Say what is wrong, to a person or to a program."""
    if is_json:
        sys.stdout.write(json.dumps({"ok": False, "error": sentence}) + "\n")
    else:
        sys.stderr.write(f"bulkhead: {sentence}\n")


def overrides(parsed: argparse.Namespace) -> dict[str, object]:
    """The settings that were given as options."""
    names = ("home", "host", "port")
    return {name: value for name in names if (value := getattr(parsed, name, None)) is not None}


def make_parser() -> argparse.ArgumentParser:
    """Every verb with its options."""
    common = Parser(add_help=False)
    common.add_argument("--json", action="store_true", help="answer with JSON")
    common.add_argument("--home", help="where state lives (BULKHEAD_HOME)")
    parser = Parser(prog="bulkhead", description="The chat front end that an AI agent works behind.", parents=[])
    parser.add_argument("--version", action="version", version=f"bulkhead {version('bulkhead')}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, run: Verb, about: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=about, description=about, parents=[common])
        added.set_defaults(run=run)
        return added

    serve = verb("serve", serving.serve, "serve the page until stopped, and print a one-use link")
    serve.add_argument("--host", help="address of the page (BULKHEAD_HOST)")
    serve.add_argument("--port", type=int, help="port of the page (BULKHEAD_PORT); 0 takes a free one")

    ask = verb("ask", serving.ask, "send one message and print what comes back")
    ask.add_argument("text", help="a message or a command; - reads standard input")
    ask.add_argument("--as", dest="person", default="", help="who asks: an id of bulkhead.toml")
    ask.add_argument("--press", action="store_true", help="the text is a button's value, e.g. a:approve:...")
    ask.add_argument("--conversation", default="", help="continue this conversation of the console")

    link = verb("link", serving.link, "print a new one-use link to the page of the running server")
    link.add_argument("--person", default="", help="whose link: an id of bulkhead.toml")

    add_picture_verbs(verb)
    evaluate = verb("eval", evaluating.evaluate, "print what routing achieves on public data, beside its baselines")
    evaluate.add_argument("area", choices=["routing"])
    evaluate.add_argument("--data", metavar="DIR", help="the folder with routellm/ and ifeval-prompts.jsonl")
    evaluate.add_argument("--only", metavar="SECTIONS", help="some of the figures, with commas")
    evaluate.add_argument("--quick", action="store_true", help="measure less")
    verb("doctor", records.doctor, "check every part, and say what to do for each that fails")
    add_control_verb(verbs, common)
    add_control_verbs(verb)
    add_patch_verb(verbs, common)
    add_mcp_verb(verb)
    slack = verb("slack", records.slack_manifest, "print the app manifest to paste at api.slack.com")
    slack.add_argument("action", choices=["manifest"])
    slack.add_argument(
        "--http", metavar="URL", default="", help="for HTTP instead of Socket Mode: the page's public origin"
    )
    verb("migrate", records.migrate, "bring the database's schema up to date")
    database = verb("db", records.copy, "copy everything from one database to another, empty one")
    database.add_argument("action", choices=["copy"])
    database.add_argument("source", metavar="FROM", help="sqlite:///... or postgresql://...")
    database.add_argument("target", metavar="TO", help="sqlite:///... or postgresql://...")
    return parser


def add_mcp_verb(verb: Callable[[str, Verb, str], argparse.ArgumentParser]) -> None:
    """`mcp`."""
    added = verb("mcp", mcp.mcp, "let an IDE's assistant read, lease, propose and wait, by the Model Context Protocol")
    added.add_argument("action", nargs="?", choices=["serve", "token"], default="serve", help="token prints HTTP's")
    added.add_argument("--assistant", default="assistant", help="what cards and commits call it, e.g. claude-code")
    added.add_argument("--as", dest="person", default="", help="whom it acts for: an id of bulkhead.toml")
    added.add_argument("--http", action="store_true", help="streamable HTTP on loopback in place of standard input")
    added.add_argument("--host", dest="mcp_host", default="127.0.0.1", help="a loopback address")
    added.add_argument("--port", dest="mcp_port", type=int, default=8766, help="0 takes a free one")


def add_control_verbs(verb: Callable[[str, Verb, str], argparse.ArgumentParser]) -> None:
    """`audit`, `secret` and `executor`."""
    audit = verb("audit", auditing.audit, "check the hash chain of the audit trail, or export it")
    audit.add_argument("action", choices=["verify", "export"])
    audit.add_argument("--export", metavar="FILE", help="verify this export, without a database")
    audit.add_argument("--checkpoint", metavar="FILE", help="a file of checkpoints, or a fingerprint from the chat")
    audit.add_argument("--key", metavar="FILE", help="the public key of the checkpoints (keys/control.pub)")
    audit.add_argument("-o", "--output", metavar="FILE", help="where an export goes; standard output without it")
    secret = verb("secret", custody.secret, "keep a secret for the executor: its value comes from standard input")
    secret.add_argument("action", choices=["set", "list", "remove"])
    secret.add_argument("name", nargs="?", default="", help="capitals, digits and _")
    verb("executor", custody.executor, "be the executor, as a user of its own, at BULKHEAD_EXECUTOR_SOCKET")


def add_picture_verbs(verb: Callable[[str, Verb, str], argparse.ArgumentParser]) -> None:
    """`draw`, `cases` and `route`."""
    draw = verb("draw", drawing.draw, "draw Mermaid files, or the Mermaid blocks of Markdown files, and check them")
    draw.add_argument("files", nargs="*", metavar="FILE", help="Mermaid or Markdown; - is standard input; ** works")
    draw.add_argument("-o", "--output", help="where the PNG or SVG goes, of one diagram")
    draw.add_argument("--surface", choices=drawing.SURFACES, default="page", help="where it will be seen")
    draw.add_argument("--theme", choices=["light", "dark"], default="", help="whatever the diagram says")
    draw.add_argument("--style", choices=["curved", "right-angled"], default="", help="how lines run in a graph")
    draw.add_argument(
        "--check", "--check-only", dest="check", action="store_true", help="write no picture, only what is found"
    )
    draw.add_argument("--strict", action="store_true", help="warnings fail as well")
    draw.add_argument("--batch", metavar="FILE.jsonl", help='one {"text": ...} per line; one JSON object per line out')
    draw.add_argument("--no-render", action="store_true", help="with --batch: only parse")

    cases = verb("cases", drawing.list_cases, "list what people reported of pictures, for the lint to learn from")
    cases.add_argument("--most", type=int, default=50, help="how many, the newest first")

    route = verb("route", batch.route, "tell which model a text would go to, and why")
    route.add_argument("text", nargs="*", help="a message; - reads standard input; `explain` before it changes nothing")
    route.add_argument("--batch", metavar="FILE.jsonl", help='one {"text": ...} per line; one JSON object per line out')

    told = verb("contract", contract.contract, "tell what a request demands of its answer, and whether one keeps it")
    told.add_argument("text", nargs="?", help="a request; - reads standard input")
    told.add_argument("--answer", metavar="FILE", help="check the answer in this file")
    told.add_argument("--batch", metavar="FILE.jsonl", help='one {"prompt": ..., "answer"?: ...} per line')
