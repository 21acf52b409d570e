"""The house keeps its own rules: budgets, imports, purity, quiet imports, SQL. What ruff and mypy can say, they say."""

from __future__ import annotations

import ast
import asyncio
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.config import Settings, env_example
from layers.store import open_store
from layers.store.statements import Statements

REPO = Path(__file__).parents[1]
FIRST_PARTY = ("bot", "layers", "migrations")
HOUSE = sorted(path for top in FIRST_PARTY for path in (REPO / top).rglob("*.py"))
TESTS = sorted((REPO / "tests").rglob("*.py"))
EVERYTHING = [*HOUSE, *TESTS, *sorted((REPO / "benchmarks").rglob("*.py"))]
TREES = {path: ast.parse(path.read_text("utf-8"), str(path)) for path in EVERYTHING}

LINES_OF_FILE, LINES_OF_FUNCTION, LINES_OF_CLASS = 400, 50, 200
PARAMETERS, PUBLIC_METHODS, SETTINGS = 6, 12, 40
NO_NAME = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
NOT_PURE = {"asyncio", "time", "os", "random", "socket", "subprocess", "secrets"}
FIVE = ("transport", "presentation", "control", "coordination", "routing")

VENDORS = {
    "aiohttp": ("bot/adapters/slack/", "layers/routing/openai_wire.py"),
    "aiosmtplib": ("bot/adapters/mail/",),
    "aiosql": ("layers/store/statements.py",),
    "aiosqlite": ("layers/store/sqlite.py",),
    "alembic": ("layers/store/migrate.py", "migrations/"),
    "apscheduler": ("bot/schedule/",),
    "cedarpy": ("layers/control/",),
    "cryptography": ("layers/control/",),
    "detect_secrets": ("layers/control/masking.py",),
    "dotenv": ("bot/config/",),
    "graphlay": ("layers/presentation/layout/right_angled.py",),
    "imap_tools": ("bot/adapters/mail/",),
    "litellm": ("layers/routing/litellm_model.py",),
    "matplotlib": ("layers/presentation/",),
    "mcp": ("bot/mcp/",),
    "mcp_types": ("bot/mcp/",),
    "psycopg": ("layers/store/postgres.py",),
    "psycopg_pool": ("layers/store/postgres.py",),
    "pydantic_settings": ("bot/config/",),
    "pygraphviz": ("layers/presentation/layout/dot.py",),
    "selectolax": ("bot/adapters/mail/",),
    "slack_bolt": ("bot/adapters/slack/",),
    "slack_sdk": ("bot/adapters/slack/",),
    "sqlalchemy": ("migrations/", "layers/store/"),
    "sqlite3": ("layers/store/",),
    "starlette": ("bot/web/",),
    "telegram": ("bot/adapters/telegram/",),
    "uvicorn": ("bot/web/",),
    "watchfiles": ("layers/coordination/watching.py",),
    "websockets": ("bot/adapters/slack/",),
}
"""Package -> the only files, or folders, that import it."""

HEAVY = (
    *("litellm", "matplotlib", "telegram", "slack_bolt", "imap_tools", "aiosmtplib", "selectolax", "cedarpy"),
    *("pygraphviz", "graphlay", "psycopg", "alembic", "detect_secrets", "mcp"),
)

BIG_TABLES = (
    "inbox",
    "inbox_alias",
    "outbox",
    "step",
    "turn",
    "message",
    "conversation",
    "letter",
    "approval",
    "page_event",
    "audit",
    "schedule",
)
COLD: dict[str, str] = {"control.asked_since": "what `bulkhead control simulate` reads, once, for an operator"}
"""Statement -> why it may read a whole table. Every other one is hot."""


def short(path: Path) -> str:
    return path.relative_to(REPO).as_posix()


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import below `tree`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def imported_late(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import that is made by name at run time."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from ((node.lineno, name.value) for name in node.args if isinstance(name, ast.Constant))


def run_python(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh interpreter, in an empty folder."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    there = {"PYTHONPATH": str(REPO), "HOME": str(cwd), "MPLCONFIGDIR": str(cwd), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env=kept | there,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


# --- budgets -------------------------------------------------------------------------------------------------------


def test_no_file_is_longer_than_400_lines() -> None:
    long = {short(path): len(path.read_text("utf-8").splitlines()) for path in EVERYTHING}
    assert {path: count for path, count in long.items() if count > LINES_OF_FILE} == {}


def test_no_function_is_longer_than_50_lines_or_takes_more_than_6_parameters() -> None:
    found = []
    for path in HOUSE:
        for node in functions(TREES[path]):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            count = len([argument for argument in arguments if argument.arg not in ("self", "cls")])
            if lines(node) > LINES_OF_FUNCTION or count > PARAMETERS:
                found.append(f"{short(path)}:{node.lineno} {node.name}: {lines(node)} lines, {count} parameters")
    assert found == []


def test_no_class_is_longer_than_200_lines_or_has_more_than_12_public_methods() -> None:
    found = []
    for path in HOUSE:
        for node in ast.walk(TREES[path]):
            if isinstance(node, ast.ClassDef):
                public = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
                count = len([one for one in public if not one.name.startswith("_")])
                if lines(node) > LINES_OF_CLASS or count > PUBLIC_METHODS:
                    found.append(f"{short(path)} {node.name}: {lines(node)} lines, {count} public methods")
    assert found == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [short(path) for path in EVERYTHING if NO_NAME & {path.stem, *path.relative_to(REPO).parts}] == []


def test_there_are_at_most_40_settings_and_the_example_file_tells_every_one() -> None:
    assert len(Settings.model_fields) <= SETTINGS
    assert all(field.description for field in Settings.model_fields.values())
    assert (REPO / ".env.example").read_text("utf-8") == env_example()


# --- imports -------------------------------------------------------------------------------------------------------


def test_the_import_contracts_are_kept() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=REPO, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_first_party_import_hides_inside_a_function() -> None:
    found = [
        f"{short(path)}:{line} {name}"
        for path in HOUSE
        for function in functions(TREES[path])
        for line, name in imported(function)
        if name.split(".")[0] in FIRST_PARTY
    ]
    assert found == []


def test_nobody_but_the_wiring_reaches_past_the_front_door_of_a_layer() -> None:
    found = []
    for path in HOUSE:
        for line, name in imported(TREES[path]):
            parts = name.split(".")
            if len(parts) > 2 and parts[0] == "layers" and parts[1] in (*FIVE, "store"):
                inside = path.is_relative_to(REPO / "layers" / parts[1])
                if not inside and not short(path).startswith("bot/app/"):
                    found.append(f"{short(path)}:{line} {name}")
    assert found == []


def test_every_vendor_is_imported_where_it_lives_and_nowhere_else() -> None:
    found = []
    for path in HOUSE:
        for line, name in (*imported(TREES[path]), *imported_late(TREES[path])):
            home = VENDORS.get(name.split(".")[0])
            if home is not None and not short(path).startswith(home):
                found.append(f"{short(path)}:{line} {name} belongs in {' or '.join(home)}")
    assert found == []


def test_rules_types_and_errors_are_pure() -> None:
    found = []
    for path in HOUSE:
        is_rules = path.stem == "rules" or path.parent.name == "rules"
        if is_rules or path.stem in ("types", "errors"):
            names = {name.split(".")[0] for _, name in imported(TREES[path])}
            found += [f"{short(path)} imports {name}" for name in sorted(NOT_PURE & names)]
            if is_rules:
                awaits = [node for node in functions(TREES[path]) if isinstance(node, ast.AsyncFunctionDef)]
                found += [f"{short(path)}:{node.lineno} {node.name} is async" for node in awaits]
    assert found == []


def test_floor_0_needs_the_standard_library_only() -> None:
    floor = [REPO / "layers" / name for name in ("types.py", "errors.py", "failpoint.py")]
    names = {name.split(".")[0] for path in floor for _, name in imported(TREES[path])}
    assert names <= sys.stdlib_module_names


QUIET = """
import importlib, os, sys
home, repo = os.getcwd(), sys.argv[1] if len(sys.argv) > 1 else os.environ["PYTHONPATH"]
found = []

def is_ours(frame):
    # our own code at work, not a vendor's that we import: no import machinery between it and the act
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith("<frozen importlib"):
            return False
        if name.startswith((repo + "/bot/", repo + "/layers/")):
            return True
        frame = frame.f_back
    return False

def watch(event, args):
    if event == "open":
        path, mode, flags = args
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        outside = not isinstance(path, str) or not os.path.abspath(path).startswith((home, "/dev/null"))
        # a vendor may look for its plugins in the metadata of installed packages when we first use it (pydantic does)
        installed = isinstance(path, str) and path.startswith((sys.prefix, sys.base_prefix))
        if (writes and outside) or (not installed and is_ours(sys._getframe(1))):
            found.append((event, str(path), mode))
    elif event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.mkdir", "os.remove"):
        if event.startswith("socket") or is_ours(sys._getframe(1)):
            found.append((event, str(args)[:80], ""))

sys.addaudithook(watch)
for name in MODULES:
    importlib.import_module(name)
    if found:
        print(name, found)
        found.clear()
"""


def test_importing_any_module_reads_and_writes_nothing(tmp_path: Path) -> None:
    modules = [
        short(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for path in HOUSE
        if not path.is_relative_to(REPO / "migrations") and path.stem != "__main__"
    ]
    done = run_python(f"MODULES = {modules!r}\n{QUIET}", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_importing_the_whole_application_loads_nothing_heavy(tmp_path: Path) -> None:
    code = f"import sys, bot.app\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = run_python(code, tmp_path)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


# --- code ----------------------------------------------------------------------------------------------------------


def test_nothing_is_ever_run_by_a_shell() -> None:
    found = []
    for path in EVERYTHING:
        for node in ast.walk(TREES[path]):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                asks = [word for word in node.keywords if word.arg == "shell" and ast.unparse(word.value) != "False"]
                if asks or name in ("os.system", "os.popen", "asyncio.create_subprocess_shell"):
                    found.append(f"{short(path)}:{node.lineno} {name}")
    assert found == []


def test_everything_public_has_a_docstring() -> None:
    found = []
    for path in HOUSE:
        nodes: list[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef] = [TREES[path]]
        nodes += [
            node for node in TREES[path].body if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        for node in nodes:
            name = getattr(node, "name", "the module")
            if not name.startswith("_") and not ast.get_docstring(node):
                found.append(f"{short(path)}: {name}")
    assert found == []


def test_names_of_tests_are_sentences() -> None:
    names = [(short(path), node.name) for path in TESTS for node in functions(TREES[path])]
    tests = [(path, name) for path, name in names if name.startswith("test_")]
    assert [one for one in tests if one[1].count("_") < 3 or re.search(r"_v?\d+$|_case$|_it_works$", one[1])] == []


def test_links_of_the_readme_lead_somewhere() -> None:
    text = (REPO / "README.md").read_text("utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", text)
    targets = [first or second for first, second in links if "://" not in first + second]
    for target in targets:
        file, _, anchor = target.partition("#")
        assert (REPO / file).exists(), target
        assert file or anchor in anchors, target


# --- SQL -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A migrated SQLite database, to explain statements on."""
    path = tmp_path_factory.mktemp("house") / "bulkhead.db"

    async def migrate() -> None:
        await (await open_store(f"sqlite:///{path}")).close()

    asyncio.run(migrate())
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def test_every_statement_is_used_and_every_used_one_exists() -> None:
    known = {*Statements("sqlite").names(), *Statements("postgresql").names()}
    prefixes = {name.split(".")[0] for name in known}
    words = [
        (node.value, f"{short(path)}:{node.lineno}")
        for path in HOUSE
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    calls = [
        (node.args[0].value, f"{short(path)}:{node.lineno}")
        for path in HOUSE
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("one", "all", "run", "fetch_one", "fetch_all")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]
    assert [(name, place) for name, place in calls if name.split(".")[0] in prefixes and name not in known] == []
    assert sorted(known - {value for value, _ in words}) == []


def test_no_hot_statement_reads_a_whole_table(database: sqlite3.Connection) -> None:
    statements, found = Statements("sqlite"), []
    partial = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE sql LIKE '%INDEX%WHERE%'")}
    for name in statements.names():
        sql = statements[name]
        aliases = dict(re.findall(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(\w+)\s+(?:AS\s+)?(\w+)", sql, re.IGNORECASE))
        big = {word for table in BIG_TABLES for word in (table, aliases.get(table, table))}
        nothing = dict.fromkeys(re.findall(r"(?<!:):(\w+)", sql))
        for *_, step in database.execute(f"EXPLAIN QUERY PLAN {sql}", nothing):
            scan = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", step)
            if scan and scan[1] in big and scan[2] not in partial and name not in COLD:
                found.append(f"{name}: {step}")
    assert found == []


def test_every_statement_that_may_read_a_whole_table_exists() -> None:
    assert set(COLD) <= set(Statements("sqlite").names())
