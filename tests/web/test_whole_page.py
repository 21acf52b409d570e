"""The whole way, as a person goes it: the real server in its own process, its page in a real browser, real effects."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, StorageState, expect

from bot.commands import PATCH_EXAMPLE
from tests.conftest import skip
from tests.fakes import model_server
from tests.fakes.browser import CHROMIUM, chromium
from tests.fakes.house import House

pytestmark = pytest.mark.asyncio(loop_scope="module")
SLOW_MS = 30_000
"""Two cores may be busy with everything else."""
DIAGRAM = "/diagram\nflowchart LR\n  ask[Ask] --> draw{Draw}\n  draw -->|looked at| show[Show]"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Debian's chromium, started once."""
    if not CHROMIUM.exists():
        skip(f"no {CHROMIUM}: install Debian's package chromium")
    async with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def model() -> Iterator[model_server.ModelServer]:
    """The fake model."""
    with model_server.running() as running:
        yield running


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, model: model_server.ModelServer) -> Iterator[House]:
    """The real server, with a model that takes 2 s and one that cannot see."""
    home = tmp_path_factory.mktemp("whole") / "home"
    home.mkdir(mode=0o700)
    (home / "routes.toml").write_text('[routes]\ncheap = "openai/slow-2s"\n')
    built = House(home, env={"OPENAI_BASE_URL": model.base_url, "OPENAI_API_KEY": "k"})
    built.start()
    yield built
    built.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signed_in(house: House, browser: Browser) -> StorageState:
    """The session that the printed link gives."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(house.url)
    await connected(page)
    state = await context.storage_state()
    await context.close()
    return state


@pytest_asyncio.fixture(loop_scope="module")
async def page(house: House, browser: Browser, signed_in: StorageState) -> AsyncIterator[Page]:
    """The page, in a conversation that nobody has used."""
    context = await browser.new_context(storage_state=signed_in, viewport={"width": 1100, "height": 800})
    context.set_default_timeout(SLOW_MS)
    opened = await context.new_page()
    await opened.goto(f"http://127.0.0.1:{house.port}/#c={secrets.token_hex(4)}")
    await connected(opened)
    yield opened
    await context.close()


async def connected(page: Page) -> None:
    await expect(page.locator("#link")).to_have_attribute("data-state", "on", timeout=SLOW_MS)


async def say(page: Page, text: str) -> None:
    box = page.get_by_label("Message", exact=True)
    await box.fill(text)
    await box.press("Enter")


def note(name: str) -> str:
    return f'/run workspace.write-note name={name} text="Hello, world"'


def newest(page: Page) -> Locator:
    return page.locator(".message").last


def committed(house: House) -> str:
    """The newest commit of the workspace, with its files."""
    command = ["git", "-C", str(house.home / "workspace"), "show", "--stat", "--format=%an%n%B", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


async def test_picture_approval_patch_and_their_history(house: House, page: Page) -> None:
    await say(page, DIAGRAM)
    picture = page.locator(".picture img")
    await expect(picture).to_be_visible(timeout=SLOW_MS)
    assert await picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 300
    await expect(newest(page)).to_contain_text("geometry checked · no model looked")
    await newest(page).get_by_role("button", name="Approve").click()
    await expect(newest(page)).to_contain_text("Approved by Owner")

    await say(page, note("first"))
    await expect(page.locator("#pending-count")).to_have_text("1")
    await expect(newest(page)).to_contain_text('"/usr/bin/install"')
    assert not (house.home / "workspace/notes/first.md").exists()
    await newest(page).get_by_role("button", name="Approve").click()
    await expect(newest(page)).to_contain_text("exit code 0", timeout=SLOW_MS)
    await expect(newest(page).get_by_role("button", name="Approve")).to_have_count(0)
    assert (house.home / "workspace/notes/first.md").read_text() == "Hello, world\n"
    await expect(page.locator("#pending-none")).to_be_visible()

    await say(page, PATCH_EXAMPLE)
    await expect(newest(page).locator(".added")).to_have_text(["+++ b/hello.txt", "+Hello from a patch."])
    await newest(page).get_by_role("button", name="Approve").click()
    await expect(newest(page)).to_contain_text("committed ", timeout=SLOW_MS)
    assert "hello.txt" in committed(house)
    assert (house.home / "workspace/hello.txt").read_text() == "Hello from a patch.\n"

    before = await page.locator(".message .body, .message .said").all_inner_texts()
    await page.reload()
    await connected(page)
    await expect(page.locator(".message")).to_have_count(6)
    assert await page.locator(".message .body, .message .said").all_inner_texts() == before


async def test_a_card_from_before_kill_9_works_after_the_restart(house: House, page: Page) -> None:
    await say(page, note("second"))
    await expect(newest(page).get_by_role("button", name="Approve")).to_be_visible()
    house.kill()
    await expect(page.locator("#link-text")).to_have_text("Reconnecting…")
    house.start()
    await connected(page)
    await newest(page).get_by_role("button", name="Approve").click()
    await expect(newest(page)).to_contain_text("exit code 0", timeout=SLOW_MS)
    assert (house.home / "workspace/notes/second.md").read_text() == "Hello, world\n"


async def test_a_phone_shows_everything_and_nothing_sticks_out(house: House, page: Page) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    await say(page, "/help")
    await expect(newest(page)).to_contain_text("What I understand")
    await say(page, DIAGRAM)
    await expect(page.locator(".picture img")).to_be_visible(timeout=SLOW_MS)
    await say(page, note("third"))
    await expect(newest(page).get_by_role("button", name="Deny")).to_be_in_viewport()
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    assert await page.locator("#scroll").evaluate("box => box.scrollWidth - box.clientWidth") == 0
    card = page.locator(f'[data-key="{await newest(page).get_attribute("data-key")}"]')
    await card.get_by_role("button", name="Deny").click()
    await expect(card).to_contain_text("Denied")
    await expect(newest(page)).to_contain_text("Why?")
    assert not (house.home / "workspace/notes/third.md").exists()


async def test_the_keyboard_alone_is_enough(house: House, page: Page) -> None:
    box = page.get_by_label("Message", exact=True)
    await box.focus()
    await page.keyboard.type("/diagram")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("flowchart LR; a --> b")
    await expect(box).to_have_value("/diagram\nflowchart LR; a --> b")
    await page.keyboard.press("Escape")
    await expect(box).to_have_value("")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(page.locator(".picture img")).to_be_visible(timeout=SLOW_MS)
    await newest(page).get_by_role("button", name="Approve").focus()
    await page.keyboard.press("Enter")
    await expect(newest(page)).to_contain_text("Approved by Owner")


async def test_the_working_line_of_a_slow_model_becomes_its_answer(model: model_server.ModelServer, page: Page) -> None:
    await say(page, "good morning")
    line = page.locator(".message.working")
    await expect(line).to_be_visible(timeout=SLOW_MS)
    key = await line.get_attribute("data-key")
    answer = page.locator(f'.message:not(.working)[data-key="{key}"]')
    await expect(answer).to_contain_text("good morning", timeout=SLOW_MS)
    await expect(page.locator(".message")).to_have_count(2)
    assert model.asked() == ["slow-2s"]
