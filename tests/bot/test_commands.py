"""What people type after a slash, including what their phones make of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import (
    COMMANDS,
    PATCH_EXAMPLE,
    AddRule,
    AddSchedule,
    Command,
    DrawDiagram,
    ListSchedules,
    Pair,
    RemoveRule,
    RemoveSchedule,
    RunCapability,
    ShowHelp,
    ShowPending,
    ShowPeople,
    ShowRules,
    ShowStatus,
    ShowTransports,
    ShowWhy,
    help_text,
    parse,
)
from bot.commands.routing import PinModel, ShowCost, ShowModels
from layers.errors import BadInput, Refused

DIFF = "--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-old\n+new\n"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/help", ShowHelp()),
        ("  /help \n", ShowHelp()),
        ("/Help", ShowHelp()),
        ("/help run", ShowHelp()),
        ("/start", ShowHelp()),
        ("/start deep-link", ShowHelp()),
        ("/pending", ShowPending()),
        ("/why", ShowWhy()),
        ("/model", PinModel()),
        ("/model  ollama/qwen3:8b ", PinModel("ollama/qwen3:8b")),
        ("/model auto", PinModel("auto")),
        ("/models", ShowModels()),
        ("/cost", ShowCost("day")),
        ("/cost Person", ShowCost("person")),
        ("/status", ShowStatus()),
        ("/status@bulkhead_bot", ShowStatus()),
        ("/bulkhead", ShowHelp()),
        ("/bulkhead status", ShowStatus()),
        ("/bulkhead /status", ShowStatus()),
        ("/bulkhead /", ShowHelp()),
        ("/bulkhead run host.uptime", RunCapability("host.uptime")),
        ("/schedule", ListSchedules()),
        ("/schedule list", ListSchedules()),
        ("/schedule remove 12", RemoveSchedule(12)),
        ("/transports", ShowTransports()),
        ("/bulkhead people", ShowPeople()),
        ("/pair ABCD-EFGH", Pair("ABCD-EFGH")),
        ("/pair abcd\u2013efgh as approver", Pair("abcd\u2013efgh", "approver")),
        ("/pair ABCDEFGH  ME", Pair("ABCDEFGH", "me")),
        ("/pair ABCD EFGH refuse", Pair("ABCD EFGH", "refuse")),
        ("/schedule remove #12", RemoveSchedule(12)),
        ("/rules", ShowRules()),
        ("/rules list", ShowRules()),
        ("/rules add at most 3 words", AddRule("at most 3 words")),
        ("/rules remove #12", RemoveRule(12)),
    ],
)
def test_a_plain_command_is_read(text: str, command: Command) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    "text", ["", "hello", "hello /help", "/etc/hosts is wrong", "//", "a\n/help", "/usr/bin", "help", "/run/me"]
)
def test_what_is_no_command_is_left_to_the_model(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("/diagam A-->B", "`/diagram`"),
        ("/pend", "`/pending`"),
        ("/shedule", "`/schedule`"),
        ("/bulkhead stats", "`/status`"),
    ],
)
def test_an_unknown_command_is_refused_with_the_nearest(text: str, nearest: str) -> None:
    with pytest.raises(Refused, match="There is no command") as caught:
        parse(text)
    assert nearest in str(caught.value)


@pytest.mark.parametrize("text", ["/", "/xyzzy", "/" + "x" * 100_000, "/привет", "/@bot"])
def test_an_unknown_command_with_nothing_near_is_refused_in_one_short_sentence(text: str) -> None:
    with pytest.raises(Refused, match="`/help` lists them all") as caught:
        parse(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("text", ["/rules no commas", "/rules add", "/rules add  ", "/rules remove", "/rules remove x"])
def test_rules_are_neither_guessed_nor_empty(text: str) -> None:
    with pytest.raises(BadInput, match="/rules"):
        parse(text)


@pytest.mark.parametrize("name", ["why", "status"])
def test_a_command_without_arguments_refuses_them(name: str) -> None:
    with pytest.raises(BadInput, match="takes nothing after it, and got 'now'"):
        parse(f"/{name} now")


# --- /run ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("", {}),
        (" path=/var", {"path": "/var"}),
        (" a=1   b=2", {"a": "1", "b": "2"}),
        (" a=", {"a": ""}),
        (" a=''", {"a": ""}),
        (" a=x=y", {"a": "x=y"}),
        (' text="Hello, world"', {"text": "Hello, world"}),
        (" text='two words'", {"text": "two words"}),
        (' text="a \\"b\\""', {"text": 'a "b"'}),
        (" text=two\\ words", {"text": "two words"}),
        (' text="line\nline"', {"text": "line\nline"}),
        (" text=$(reboot)", {"text": "$(reboot)"}),
        (" text=`reboot`;ls", {"text": "`reboot`;ls"}),
        (" text=a#b", {"text": "a#b"}),
        # what phones type
        (" text=“two words”", {"text": "two words"}),
        (" text=„zwei Wörter“", {"text": "zwei Wörter"}),
        (" text=«deux mots»", {"text": "deux mots"}),
        (" text=‘two words’", {"text": "two words"}),
        (" text=‘it’s fine’", {"text": "it’s fine"}),
        (" text=“it's fine”", {"text": "it's fine"}),
        (" text=it’s", {"text": "it’s"}),
        (' text="a “b” c"', {"text": "a “b” c"}),
        (' text="a “b c"', {"text": "a “b c"}),
        (" text='a ‘b c'", {"text": "a ‘b c"}),
        (" text=\\“b", {"text": "“b"}),
        (" text=“a — b” n=1", {"text": "a — b", "n": "1"}),
        (" text=—", {"text": "—"}),
        (" dry\u2011run=yes", {"dry-run": "yes"}),
    ],
)
def test_parameters_are_read_by_the_rules_of_a_shell_and_without_one(text: str, parameters: dict[str, str]) -> None:
    assert parse("/run host.uptime" + text) == RunCapability("host.uptime", parameters)


def test_a_dash_that_a_phone_put_into_a_name_is_a_hyphen() -> None:
    assert parse("/run workspace.write–note a=b") == RunCapability("workspace.write-note", {"a": "b"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/run", "needs a capability"),
        ("/run Host.Uptime", "is not a capability's name"),
        ("/run ../x", "is not a capability's name"),
        ("/run host.disk /var", "'/var' is not of the form key=value"),
        ("/run host.disk =x", "'=x' is not of the form key=value"),
        ("/run host.disk -rf=x", "'-rf=x' is not of the form key=value"),
        ("/run host.disk a=1 a=2", "'a' is given twice"),
        ("/run host.disk a=x\\", "lone backslash"),
        ("/run host.disk " + "a=b " * 10_000, "at most 16000"),
    ],
)
def test_a_run_that_cannot_be_read_is_refused(text: str, told: str) -> None:
    with pytest.raises(BadInput, match=re.escape(told)):
        parse(text)


@pytest.mark.parametrize(
    ("text", "quote", "line", "column"),
    [
        ('/run a text="never closed', '"', 1, 13),
        ("/run a text=don't", "'", 1, 16),
        ('/run a x="ok" text="no \\" end', '"', 1, 20),
        ("/run a text=“never closed", "“", 1, 13),
        ('/run a x=1\ny="z', '"', 2, 3),
        ("/run a text=\"it's never closed", '"', 1, 13),
        ("/run a x=“it's” text=“never", "“", 1, 22),
    ],
)
def test_an_unbalanced_quote_is_shown_where_it_opens(text: str, quote: str, line: int, column: int) -> None:
    with pytest.raises(BadInput, match="never closed") as caught:
        parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.expected == f"a closing {quote}"
    assert text.split("\n")[line - 1][column - 1] == quote


# --- /diagram ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "/diagram flowchart LR\nA --> B",
        "/diagram\nflowchart LR\nA --> B",
        "/diagram\n```mermaid\nflowchart LR\nA --> B\n```",
        "/diagram ```mermaid\nflowchart LR\nA --> B\n```",
        "/diagram\n```\nflowchart LR\nA --> B\n```\n",
        "/diagram ```flowchart LR\nA --> B```",
        "/diagram\n~~~~ mermaid\nflowchart LR\nA --> B\n~~~~",
        "/diagram flowchart LR\nA —> B",
        "/diagram flowchart LR\nA –> B",
    ],
)
def test_a_diagram_is_read_bare_or_fenced(text: str) -> None:
    command = parse(text)
    assert isinstance(command, DrawDiagram)
    assert command.source.strip() == "flowchart LR\nA --> B"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("A[“one two”] —> B", 'A["one two"] --> B'),
        ("A — yes —> B", "A -- yes --> B"),
        ("A —- B", "A --- B"),
        ("A[1 — 2] —> B{“x — y”}", 'A[1 — 2] --> B{"x — y"}'),
        ('A["a “b” — c"] --> B', 'A["a “b” — c"] --> B'),
        ("A -->|“2 – 3”| B", 'A -->|"2 – 3"| B'),
        ("subgraph One — two", "subgraph One — two"),
    ],
)
def test_arrows_and_quotes_that_a_phone_replaced_are_put_back_and_labels_kept(typed: str, meant: str) -> None:
    assert parse(f"/diagram flowchart LR\n{typed}") == DrawDiagram(f" flowchart LR\n{meant}")


@pytest.mark.parametrize("text", ["/diagram", "/diagram  ", "/diagram\n```\n```"])
def test_a_diagram_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="needs Mermaid"):
        parse(text)


@pytest.mark.parametrize(
    "text", ["/diagram\n```mermaid\nA-->B", "/diagram\n```\nA-->B\n```\nthanks", "/patch\n```\n" + DIFF]
)
def test_a_code_block_that_is_not_closed_at_the_end_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="does not end with"):
        parse(text)


# --- /schedule -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('/schedule "0 9 * * mon" Europe/Berlin /run host.disk', ("0 9 * * mon", "Europe/Berlin", "/run host.disk")),
        ("/schedule '0 9 * * mon' UTC buy milk", ("0 9 * * mon", "UTC", "buy milk")),
        ("/schedule “0 9 * * mon–fri” Europe/Berlin it’s late", ("0 9 * * mon-fri", "Europe/Berlin", "it’s late")),
        ('/schedule "@daily" America/Port–au–Prince x', ("@daily", "America/Port-au-Prince", "x")),
        ('/schedule "0  9 * * *"\nUTC\nline one\nline "two"', ("0 9 * * *", "UTC", 'line one\nline "two"')),
        ('/schedule "0 9 * * *" UTC say “hello there”', ("0 9 * * *", "UTC", "say “hello there”")),
    ],
)
def test_a_schedule_is_read_and_its_text_kept_as_it_stands(text: str, command: tuple[str, str, str]) -> None:
    assert parse(text) == AddSchedule(*command)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/schedule 0 9 * * mon Europe/Berlin x", "needs a time in quotes"),
        ('/schedule "0 9 * * mon" Europe/Berlin', "needs a time in quotes"),
        ('/schedule "0 9 * * mon"', "needs a time in quotes"),
        ('/schedule "0 9 * * mon Europe/Berlin x', "needs a time in quotes"),
        ("/schedule remove", "needs the number"),
        ("/schedule remove all", "needs the number"),
        ("/schedule remove -1", "needs the number"),
        ("/schedule remove " + "9" * 30, "needs the number"),
        ('/schedule "* * * * *" UTC /schedule', "breed"),
        ('/schedule "* * * * *" UTC /schedule "* * * * *" UTC x', "breed"),
        ('/schedule "* * * * *" UTC /bulkhead schedule remove 1', "breed"),
        ('/schedule "* * * * *" UTC /pair ABCD-EFGH', "a person decides"),
        ('/schedule "* * * * *" UTC /bulkhead pair ABCD-EFGH approver', "a person decides"),
        ('/schedule "* * * * *" UTC /rum host.disk', "did you mean `/run`"),
        ('/schedule "* * * * *" UTC /run', "needs a capability"),
    ],
)
def test_a_schedule_that_cannot_be_read_is_refused(text: str, told: str) -> None:
    with pytest.raises(Refused, match=re.escape(told)):
        parse(text)


# --- all of them ---------------------------------------------------------------------------------------------------


def test_every_example_of_the_help_is_a_command() -> None:
    for example in [*(example for entry in COMMANDS for example in entry.examples), PATCH_EXAMPLE]:
        assert parse(example) is not None
        assert example in help_text(has_model=True)


def test_every_code_span_of_the_help_that_begins_with_a_slash_can_be_clicked() -> None:
    for has_model in (True, False):
        for span in re.findall(r"(?<!`)`(/[^`\n]+)`(?!`)", help_text(has_model)):
            assert parse(span) is not None


def test_the_help_says_how_to_connect_a_model_only_where_none_is() -> None:
    assert "connect one" in help_text(has_model=False)
    assert "connect one" not in help_text(has_model=True)


@given(st.sampled_from(["", *(f"/{entry.name} " for entry in COMMANDS)]), st.text(max_size=80))
def test_any_text_is_a_command_or_none_or_refused_in_a_sentence(name: str, rest: str) -> None:
    try:
        told = parse(name + rest)
    except Refused as refused:
        told = str(refused)
    assert told is None or isinstance(told, Command | str)


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True), st.text(alphabet=st.characters(
    exclude_categories=("Cs",), exclude_characters="“”„‟«»‘’‚"), max_size=20), max_size=4))  # fmt: skip
def test_what_shlex_quotes_is_read_back_unchanged(parameters: dict[str, str]) -> None:
    quoted = " ".join(f"{key}='" + value.replace("'", "'\"'\"'") + "'" for key, value in parameters.items())
    assert parse(f"/run host.uptime {quoted}") == RunCapability("host.uptime", parameters)


def test_two_megabytes_are_read_or_refused_at_once() -> None:
    big = "A --> B\n" * 250_000
    assert isinstance(parse("/diagram flowchart LR\n" + big), DrawDiagram)
    for name in ("/run ", "/schedule ", "/patch ", "/patch base=", "/"):
        with pytest.raises(Refused):
            parse(name + "“" * 2_000_000)


def test_commands_within_commands_do_not_nest_without_end() -> None:
    for text in ("/bulkhead " * 100_000, '/schedule "* * * * *" UTC ' * 100_000, "/bulkhead /etc/hosts"):
        with pytest.raises(Refused):
            parse(text)


def test_a_diagram_of_nothing_but_open_brackets_is_read_in_a_moment() -> None:
    for length in (90_000, 2_000_000):
        assert isinstance(parse("/diagram — " + "[" * length), DrawDiagram)
