"""What people type after `/patch`: formats, fences, bases, and which of several workspaces is meant."""

from __future__ import annotations

import re

import pytest

from bot.commands import ProposePatch, RevertCommit, ShowPending, parse
from layers.errors import BadInput

DIFF = "--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-old\n+new\n"


@pytest.mark.parametrize(
    ("text", "base"),
    [
        (f"/patch\n{DIFF}", ""),
        (f"/patch\n\n{DIFF}\n\n", ""),
        (f"/patch\n```diff\n{DIFF}```", ""),
        (f"/patch base=abc123\n{DIFF}", "abc123"),
        (f"/patch\nbase=HEAD~1\n{DIFF}", "HEAD~1"),
        (f"/patch\nbase=abc123\n```diff\n{DIFF}\n```", "abc123"),
    ],
)
def test_a_patch_is_read_bare_or_fenced_with_its_base(text: str, base: str) -> None:
    assert parse(text) == ProposePatch(DIFF, base)


@pytest.mark.parametrize(
    ("head", "base", "workspace"),
    [
        ("in=site", "", "site"),
        ("in=site base=HEAD~1", "HEAD~1", "site"),
        ("base=HEAD~1 in=my_site", "HEAD~1", "my_site"),
        ("base=HEAD~1\nin=my_site", "HEAD~1", "my_site"),
    ],
)
def test_a_patch_may_name_its_workspace(head: str, base: str, workspace: str) -> None:
    assert parse(f"/patch {head}\n{DIFF}") == ProposePatch(DIFF, base, workspace)


def test_a_patch_of_a_file_with_code_blocks_keeps_them_and_its_spaces() -> None:
    diff = "--- a/x.md\n+++ b/x.md\n@@ -1,4 +1,4 @@\n ```\n-  old\n+\tnew — “as is”\n ```\n \n"
    assert parse(f"/patch\n```diff\n{diff}```") == ProposePatch(diff)
    assert parse(f"/patch\n````\n{diff}````") == ProposePatch(diff)
    blocks = "a\n<<<<<<< SEARCH\nb\n=======\n>>>>>>> REPLACE\n"
    for other in ("*** Begin Patch\n*** Delete File: a\n*** End Patch\n", blocks):
        assert parse(f"/patch\n{other}") == ProposePatch(other)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/patch", "what came was empty"),
        ("/patch please fix the readme", "'please fix the readme'"),
        ("/patch base=--output=x\n" + DIFF, "is not a revision"),
        ("/patch base=\n" + DIFF, "is not a revision"),
        ("/patch in=../x\n" + DIFF, "in='../x' is no workspace's name"),
        ("/patch in=\n" + DIFF, "in='' is no workspace's name"),
        ("/patch in=a in=b\n", "what came was 'in=b'"),
        ("/patch base=abc", "what came was empty"),
    ],
)
def test_what_is_no_patch_is_refused(text: str, told: str) -> None:
    with pytest.raises(BadInput, match=re.escape(told)):
        parse(text)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/revert HEAD", RevertCommit("HEAD")),
        ("/revert in=site 1a2b3c", RevertCommit("1a2b3c", "site")),
        ("/revert HEAD~1 in=site", RevertCommit("HEAD~1", "site")),
        ("/pending", ShowPending()),
        ("/pending 3cbdea86cec78955", ShowPending("3cbdea86cec78955")),
    ],
)
def test_a_commit_to_revert_and_a_request_to_show_are_read(text: str, command: object) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    "text", ["/revert", "/revert a b", "/revert --all", "/revert HEAD in=../x", "/revert in=site", "/pending please"]
)
def test_what_names_no_commit_and_no_request_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse(text)
