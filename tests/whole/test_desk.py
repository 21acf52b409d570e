"""Other actors hand in patches from a process of their own: a real server, a real git work tree, both databases."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.app import open_desk
from bot.config import load_settings
from bot.desk import Asked, Claim, Desk, Named, Own, Standing, Submission, Who, WholeText
from layers.errors import Refused
from tests.fakes import postgres
from tests.fakes.house import House
from tests.whole.patches import decide, git, save

CLAUDE = Who(assistant="claude-code")
CURSOR = Who(assistant="cursor")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    url = ""
    if request.param == "postgresql":
        url = postgres.create(request.getfixturevalue("postgres_server"), f"d{uuid.uuid4().hex[:12]}")
    opened = House(tmp_path_factory.mktemp("desk") / "home", url)
    opened.start()
    opened.sign_in()
    try:
        yield opened
    finally:
        opened.close()


@asynccontextmanager
async def desk_of(house: House) -> AsyncIterator[Desk]:
    url = {"database_url": house.env["BULKHEAD_DATABASE_URL"]} if house.env.get("BULKHEAD_DATABASE_URL") else {}
    async with open_desk(load_settings(home=house.home, **url)) as desk:
        yield desk


def whole(path: str, content: str, *, base: str = "", expects: str = "absent", **more: Any) -> Submission:
    file = WholeText(path=path, expects=expects, content=content)
    return Submission(**{"who": CLAUDE, "key": secrets.token_hex(8), "base": base, "files": (file,), **more})


async def tried(desk: Desk, submission: Submission) -> Standing:
    handed = await desk.submit(submission)
    return await desk.wait(Asked(id=handed.id, timeout_s=60, until_tried=True))


async def test_what_is_handed_in_is_put_before_a_person_and_committed_as_it_was_shown(house: House) -> None:
    async with desk_of(house) as desk:
        submission = whole("notes.txt", "one\n", summary="Keep notes")
        handed = await tried(desk, submission)
        assert (handed.state, [(file.path, file.added) for file in handed.files]) == (
            "awaiting_approval",
            [("notes.txt", 1)],
        )
        assert "+one" in handed.diff
        assert (await desk.submit(submission)).id == handed.id  # the same key: the same patch
        with pytest.raises(Refused, match="another change was handed in"):
            await desk.submit(submission.model_copy(update={"summary": "Something else"}))
        waiting = asyncio.create_task(desk.wait(Asked(id=handed.id, timeout_s=60)))
        await asyncio.to_thread(decide, house, handed.files[0].path, "Approve")
        applied = await waiting
        assert (applied.state, applied.commit) == ("applied", git(house, "rev-parse", "HEAD"))
        assert git(house, "log", "-1", "--format=%an: %s") == "claude-code for Owner: Keep notes"
        assert (house.home / "workspace" / "notes.txt").read_text() == "one\n"


async def test_a_person_says_no_and_the_author_is_told(house: House) -> None:
    async with desk_of(house) as desk:
        handed = await tried(desk, whole("no.txt", "no\n"))
        await asyncio.to_thread(decide, house, handed.files[0].path, "Deny")
        denied = await desk.wait(Asked(id=handed.id, timeout_s=60))
        assert (denied.state, denied.commit, "said no" in denied.note) == ("denied", "", True)
        await asyncio.to_thread(house.wait_for, lambda event: "Why?" in event["html"], "approvals")
        await asyncio.to_thread(house.say, "We keep no such file", "approvals")
        while "Owner said no: We keep no such file" not in (await desk.status(handed.id)).note:
            await asyncio.sleep(0.1)


async def test_what_does_not_merge_comes_back_with_its_three_versions(house: House) -> None:
    base = await asyncio.to_thread(save, house, "clash.txt", "base\n")
    async with desk_of(house) as desk:
        read = await desk.read(Named(paths=["clash.txt"]))
        assert (read.base_commit, read.files[0].content) == (base, "base\n")
        late = whole("clash.txt", "theirs\n", base=base, expects=read.files[0].blob_id)
        shown = await tried(desk, whole("clash.txt", "approved\n", base=base, expects=read.files[0].blob_id))
        assert shown.state == "awaiting_approval"
        await asyncio.to_thread(save, house, "clash.txt", "ours\n")
        refused = await tried(desk, late)
        await asyncio.to_thread(decide, house, shown.files[0].path, "Approve")
        conflicted = await desk.wait(Asked(id=shown.id, timeout_s=60))
        for told, theirs in ((refused, "theirs\n"), (conflicted, "approved\n")):
            assert told.state == "conflicted"
            sides = [told.stages[0].base, told.stages[0].ours, told.stages[0].theirs]
            assert [side and side.content for side in sides] == ["base\n", "ours\n", theirs]
        assert "clash.txt" in conflicted.note
        assert git(house, "show", "HEAD:clash.txt") == "ours"


@pytest.mark.parametrize(
    ("submission", "why"),
    [
        (whole(".git/hooks/post-commit", "#!/bin/sh\n"), "git"),
        (whole("../outside", "x\n"), "leaves"),
        (whole("keys/id_rsa", "x\n"), "secrets"),
        (Submission(who=CLAUDE, key="k1", base="HEAD", diff="not a diff"), "patch"),
        (Submission(who=CLAUDE, key="k2", base="--upload-pack=x", diff="--- a/x\n+++ b/x\n"), ""),
    ],
)
async def test_a_rule_refuses_and_says_why(house: House, submission: Submission, why: str) -> None:
    async with desk_of(house) as desk:
        told = await tried(desk, submission)
        assert told.state == "refused"
        assert why in told.note


async def test_what_can_never_be_is_not_even_written_down(house: House) -> None:
    async with desk_of(house) as desk:
        for submission, why in (
            (Submission(who=CLAUDE, key="n1", diff="--- a/x\n+++ b/x\n"), "names no base"),
            (Submission(who=CLAUDE, key="n2", base="HEAD", diff="!", is_base64=True), "no base64"),
            (Submission(who=CLAUDE, key="n3", base="HEAD", diff="x" * (1 << 20) + "y"), "is the limit"),
            (Submission(who=Who(person="nobody"), key="n4", base="HEAD", diff="x"), "people.nobody"),
            (whole("x", "y", workspace="elsewhere"), "no workspace 'elsewhere'"),
            (whole("x", "y", lease="0" * 20), "no lease"),
        ):
            with pytest.raises(Refused, match=why):
                await desk.submit(submission)
        with pytest.raises(Refused, match="no patch was handed in"):
            await desk.status("none")


async def test_a_lease_shuts_others_out_and_a_wait_for_a_person_does_not_make_it_longer(house: House) -> None:
    async with desk_of(house) as desk:
        lease = await desk.lease(Claim(who=CLAUDE, paths=("src/",)))
        assert (lease.state, lease.fence > 0) == ("held", True)
        with pytest.raises(Refused, match="others have held"):
            await desk.lease(Claim(who=CURSOR, paths=("src/a.py",), wait_s=0))
        with pytest.raises(Refused, match="no lease"):
            await desk.release(Own(who=CURSOR, lease=lease.id))
        outside = await tried(desk, whole("elsewhere.py", "x = 1\n", lease=lease.id))
        assert (outside.state, "does not cover" in outside.note) == ("refused", True)
        assert (await desk.renew(Own(who=CLAUDE, lease=lease.id))).ends_at >= lease.ends_at
        handed = await tried(desk, whole("src/a.py", "a = 1\n", lease=lease.id))
        ends = (await desk.renew(Own(who=CLAUDE, lease=lease.id))).ends_at
        assert (await desk.renew(Own(who=CLAUDE, lease=lease.id))).ends_at == ends
        await asyncio.to_thread(decide, house, "src/a.py", "Approve")  # it lands under the lease, which is still held
        applied = await desk.wait(Asked(id=handed.id, timeout_s=60))
        assert applied.state == "applied"
        assert (await desk.release(Own(who=CLAUDE, lease=lease.id))).state == "released"
        taken = await desk.lease(Claim(who=CURSOR, paths=("src/a.py",), wait_s=5))
        assert taken.fence > lease.fence
        await desk.release(Own(who=CURSOR, lease=taken.id))


async def test_what_is_handed_in_while_no_server_runs_is_tried_by_the_next_one(house: House) -> None:
    house.stop()
    async with desk_of(house) as desk:
        handed = await desk.submit(whole("later.txt", "later\n"))
        assert handed.state == "proposed"
        waiting = asyncio.create_task(desk.wait(Asked(id=handed.id, timeout_s=60, until_tried=True)))
        await asyncio.to_thread(house.start)
        await asyncio.to_thread(house.sign_in)
        assert (await waiting).state == "awaiting_approval"
