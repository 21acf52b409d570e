"""Secrets: in a file of the program while it runs, and nowhere else; masked in whatever form they come back."""

from __future__ import annotations

import base64
import os
import random
import urllib.parse
from pathlib import Path

import pytest

from layers.control import Action, Catalog, Executor, Plan, State, Vault, card, plan, refuse_credentials, request
from layers.control.masking import Mask, Masked, scrub, scrub_lines
from layers.control.types import Context
from layers.errors import Misconfigured, Refused
from layers.store import Store
from tests.control.conftest import OWNER, Approved, script_plan
from tests.control.test_executor import executor as executor
from tests.control.test_executor import home as home
from tests.control.test_executor import profile as profile

TOKEN = "correct horse/battery+staple=42"

looped = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def vault(executor: Executor) -> Vault:
    made = Vault(executor.home)
    made.keep("DEPLOY_TOKEN", TOKEN + "\n")
    return made


def with_secret(executor: Executor, *argv: str, **changes: object) -> Plan:
    return script_plan(executor.workspace, *argv, **{"secrets": ("DEPLOY_TOKEN",), **changes})


@looped
async def test_a_program_reads_its_secret_from_a_file_and_its_output_is_masked(
    executor: Approved, vault: Vault
) -> None:
    ended = await executor.run("s1", with_secret(executor, "/bin/cat", "/run/secrets/DEPLOY_TOKEN"))
    assert (ended.state, ended.output) == (State.SUCCEEDED, "[secret DEPLOY_TOKEN]")
    counted = await executor.run("s2", with_secret(executor, "/usr/bin/wc", "-c", "/run/secrets/DEPLOY_TOKEN"))
    assert counted.output.split()[0] == str(len(TOKEN))


@looped
async def test_a_secret_is_in_no_argument_environment_or_descriptor_and_its_file_is_private(
    executor: Approved, vault: Vault
) -> None:
    script = """
        ls -l /run/secrets "$TMPDIR/secrets" 2>/dev/null | grep DEPLOY
        cat /proc/self/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -c horse
        ls /proc/self/fd
    """
    ended = await executor.run("s3", with_secret(executor, "/bin/sh", "-c", script))
    assert ended.output.startswith("-r--------")
    assert "\n0\n" in ended.output
    assert "secret" not in ended.output.partition("DEPLOY_TOKEN")[2]


@looped
async def test_without_the_plan_naming_it_no_secret_is_there(executor: Approved, vault: Vault) -> None:
    made = script_plan(executor.workspace, "/bin/cat", "/run/secrets/DEPLOY_TOKEN")
    assert (await executor.run("s4", made)).state is State.FAILED


@looped
async def test_a_secret_that_is_not_set_runs_nothing(executor: Approved) -> None:
    with pytest.raises(Refused, match="bulkhead secret set NEVER_SET"):
        await executor.run("s5", script_plan(executor.workspace, "/bin/true", secrets=("NEVER_SET",)))
    assert await executor.look_up("s5") is None


@looped
async def test_a_flood_or_a_kill_in_the_middle_of_a_secret_leaves_no_half_of_it(
    executor: Approved, vault: Vault
) -> None:
    for cap in (10, 40, 41, 60):
        script = 'while :; do cat /run/secrets/DEPLOY_TOKEN "$TMPDIR/secrets/DEPLOY_TOKEN" 2>/dev/null; done'
        made = with_secret(executor, "/bin/sh", "-c", script, output_cap_bytes=cap)
        ended = await executor.run(f"s6-{cap}", made)
        assert "wrote more" in ended.reason
        assert not any(TOKEN[at : at + 5] in ended.output for at in range(len(TOKEN) - 5))
    script = "f=/run/secrets/DEPLOY_TOKEN; test -e $f || f=$TMPDIR/secrets/DEPLOY_TOKEN; head -c 9 $f; sleep 60"
    ended = await executor.run("s7", with_secret(executor, "/bin/sh", "-c", script, timeout_s=1))
    assert ended.output == "[secret DEPLOY_TOKEN]"


@looped
async def test_nothing_of_a_secret_stays_in_the_executors_files(executor: Approved, vault: Vault) -> None:
    await executor.run("s8", with_secret(executor, "/bin/cat", "/run/secrets/DEPLOY_TOKEN"))
    for file in (executor.home / "executor").rglob("*"):
        assert file.is_dir() or TOKEN.encode() not in file.read_bytes()
    assert not list((executor.home / "executor").glob("scratch-*"))


def test_the_vault_keeps_values_private_and_refuses_what_it_cannot_mask(tmp_path: Path) -> None:
    vault = Vault(tmp_path, {"EXECUTOR_SECRET_OTHER": "from-outside"})
    vault.keep("A_TOKEN", "value-1\n")
    file = tmp_path / "keys" / "secrets" / "A_TOKEN"
    assert file.stat().st_mode & 0o777 == 0o600
    assert (file.parent.stat().st_mode & 0o777, vault.names()) == (0o700, ["A_TOKEN", "OTHER"])
    assert vault.read(["A_TOKEN", "OTHER"]) == {"A_TOKEN": "value-1", "OTHER": "from-outside"}
    for name, value in (("A", "short"), ("lower", "long enough"), ("../X", "long enough"), ("B", "x" * 70_000)):
        with pytest.raises(Refused):
            vault.keep(name, value)
    file.chmod(0o644)
    with pytest.raises(Misconfigured, match="can be read by others"):
        vault.read(["A_TOKEN"])
    vault.forget("A_TOKEN")
    with pytest.raises(Refused, match="no secret A_TOKEN"):
        vault.forget("A_TOKEN")


MANIFEST = """\
id = "web.call"
title = "Call"
description = "Calls with a token."
scope = "web"
risk = 1
argv = ["cat", "{token}"]
cwd = "/"
secrets = ["FIXED_KEY"]

[parameters.token]
type = "secret"
description = "Which token."
"""


def test_a_secret_parameter_takes_a_name_and_never_shows_what_was_typed(home: Path, workspace: Path) -> None:
    (home / "capabilities" / "web.call.toml").write_text(MANIFEST)
    catalog = Catalog.load(home / "capabilities", workspace)

    def ask(token: str) -> Plan:
        return plan(catalog, Action(capability="web.call", parameters={"token": token}, requested_by=OWNER))

    made = ask("DEPLOY_TOKEN")
    assert made.argv[1:] == ("/run/secrets/DEPLOY_TOKEN",)
    assert made.secrets == ("DEPLOY_TOKEN", "FIXED_KEY")
    with pytest.raises(Refused) as caught:
        ask("hunter2-typed-by-mistake")
    assert "hunter2" not in str(caught.value)


def test_what_runs_unasked_is_handed_no_secret(home: Path, workspace: Path) -> None:
    (home / "capabilities" / "web.call.toml").write_text(MANIFEST.replace("risk = 1", "risk = 0"))
    why = Catalog.load(home / "capabilities", workspace).unavailable["web.call"]
    assert "a secret is handed out by a person's decision only" in why


@looped
async def test_a_warrant_that_nobody_decided_on_releases_no_secret(executor: Approved, vault: Vault) -> None:
    made = with_secret(executor, "/bin/cat", "/run/secrets/DEPLOY_TOKEN", risk=0)
    with pytest.raises(Refused, match="a secret and its warrant names nobody"):
        await executor.run("unasked", made)


def test_credentials_in_parameters_are_refused_without_being_told() -> None:
    refuse_credentials({"text": "buy milk", "commit": "3f786850e387550fdab836ed7e6dc881de23001b"})
    with pytest.raises(Refused) as caught:
        refuse_credentials({"text": f"use {SEEN[0]}"})
    assert "'text' looks like it holds a credential" in str(caught.value)
    assert SEEN[0] not in str(caught.value)


async def test_the_card_names_the_secrets_of_a_plan(store: Store, note: Plan, context: Context) -> None:
    import dataclasses

    asked = await store.run(request, dataclasses.replace(note, secrets=("DEPLOY_TOKEN",)), context)
    assert 'secrets      "DEPLOY_TOKEN"' in card(asked.approval, handle=asked.handle).text


def hidden(secret: str, generator: random.Random) -> list[str]:
    """What a program might print of a secret."""
    raw = secret.encode()
    before, after = os.urandom(generator.randrange(7)), os.urandom(generator.randrange(7))
    wrapped = base64.encodebytes(before + raw + after).decode()
    return [
        f"token={secret};",
        "\n".join(secret),
        raw.hex(),
        raw.hex(":"),
        wrapped,
        base64.b64encode(before + raw + after).decode(),
        base64.urlsafe_b64encode(before + raw).decode(),
        urllib.parse.quote(secret, safe=""),
        secret[::-1],
    ]


@pytest.mark.parametrize("seed", range(40))
def test_every_form_of_a_secret_is_masked_wherever_it_stands(seed: int) -> None:
    generator = random.Random(seed)
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+/=.!$%&üß"
    secret = "".join(generator.choices(alphabet, k=generator.randrange(8, 60)))
    mask = Mask({"T": secret})
    for text in hidden(secret, generator):
        cleaned = mask.clean(f"{'x ' * generator.randrange(30)}{text} and more")
        assert "[secret T]" in cleaned, text
        assert secret not in cleaned


SEEN = (
    "AKIAIOSFODNN7EXAMPLE", "ghp_" + "a1B2" * 9, "glpat-" + "x" * 20, "xox" + "b-123456789012-123456789012-abcdEFG",
    "xapp-1-A0B1C2-123456-abcdef0123456789", "123456789:" + "A" * 35, "https://user:hunter22@host/x",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF123_-xyz", "sk-ant-api03-" + "a" * 40, "sk-proj-" + "b" * 40,
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----",
)  # fmt: skip


@pytest.mark.parametrize("text", SEEN)
def test_what_looks_like_a_credential_is_masked_without_being_known(text: str) -> None:
    cleaned = scrub(f"before {text} after")
    assert "[secret]" in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")


@pytest.mark.parametrize(
    "text",
    ["systemctl restart nginx", "commit 3f786850e387550fdab836ed7e6dc881de23001b", "sha256 " + "ab" * 32,
     "load average: 0.12, 0.34", "The AP uses APACHE2 and ACCESS", "a1b2c3d4-0000-1111-2222-333344445555"],
)  # fmt: skip
def test_what_is_no_credential_stays(text: str) -> None:
    assert scrub(text) == text


def test_a_key_is_masked_line_by_line_and_hides_no_line_that_is_not_a_keys() -> None:
    key = "+-----BEGIN RSA PRIVATE KEY-----\n+Proc-Type: 4,ENCRYPTED\n+\n+MIIEowIBAAKCAQEA7\n+abc=\n"
    masked = scrub_lines(f"{key}+import os\n+word")
    assert masked == Masked(
        "+[secret]\n+Proc-Type: 4,ENCRYPTED\n+\n+[secret]\n+[secret]\n+import os\n+word", 3
    )


def test_a_key_on_one_line_ends_there() -> None:
    line = "+x = '-----BEGIN PRIVATE KEY-----\\nMIIabc\\n-----END PRIVATE KEY-----'"
    assert scrub_lines(f"{line}\n+word") == Masked("+x = '[secret]'\n+word", 1)
