"""Control on the page, in a real browser and on a phone's width: the freeze, the passphrase, the number, risk 3."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.conftest import skip
from tests.crash.scenario import APPEND
from tests.fakes.browser import CHROMIUM, chromium
from tests.fakes.house import House
from tests.whole.people import bulkhead, effects, furnish, visitor

pytestmark = pytest.mark.asyncio(loop_scope="module")
SLOW_MS = 30_000
WORDS = "a long enough passphrase"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    if not CHROMIUM.exists():
        skip(f"no {CHROMIUM}: install Debian's package chromium")
    async with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One approver, alone, with something of risk 2 and of risk 3."""
    built = House(tmp_path_factory.mktemp("control") / "home")
    furnish(built.home)
    for name, risk in (("hard", 2), ("final", 3)):
        text = APPEND.replace("workspace.append", f"workspace.{name}").replace("risk = 1", f"risk = {risk}")
        (built.home / "capabilities" / f"workspace.{name}.toml").write_text(text)
    built.start()
    built.sign_in()
    yield built
    built.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(house: House, browser: Browser) -> AsyncIterator[Page]:
    """The owner's page on a phone, in a conversation of its own."""
    context = await browser.new_context(viewport={"width": 360, "height": 740})
    context.set_default_timeout(SLOW_MS)
    expect.set_options(timeout=SLOW_MS)
    cookies = [
        {"name": name, "value": value, "url": f"http://127.0.0.1:{house.port}"}
        for name, value in house.client.cookies.items()
    ]
    await context.add_cookies(cookies)  # type: ignore[arg-type]
    opened = await context.new_page()
    await opened.goto(f"http://127.0.0.1:{house.port}/#c={secrets.token_hex(4)}")
    await expect(opened.locator("#link")).to_have_attribute("data-state", "on")
    yield opened
    await context.close()


async def say(page: Page, text: str) -> None:
    await page.get_by_label("Message", exact=True).fill(text)
    await page.get_by_label("Send").click()


async def fits(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth") == 360


async def ask(page: Page, text: str) -> tuple[Locator, Locator]:
    """Ask for something that is hard to undo; its card, and the button with the number that the card shows."""
    await say(page, text)
    card = page.locator(".card").last
    await expect(card.get_by_role("button", name="Deny")).to_be_visible()
    number = re.search(r"Its number is (\d\d)", await card.inner_text())
    assert number
    return card, card.get_by_role("button", name=f"Approve {number[1]}")


async def enter(page: Page, passphrase: str, again: str | None = None) -> None:
    await page.locator("#passphrase").fill(passphrase)
    if again is not None:
        await page.locator("#passphrase-again").fill(again)
    await page.locator("#proof-go").click()


async def test_E10_the_freeze_has_a_button_a_reason_and_a_banner_and_is_an_approvers(house: House, page: Page) -> None:
    await page.get_by_role("button", name="Freeze").click()
    await page.locator("#freeze-reason").fill("it deploys by itself,  look first")
    await fits(page)
    await page.locator("#freeze-go").click()
    banner = page.locator("#frozen")
    await expect(banner).to_contain_text("Frozen by Owner, ")
    await expect(banner).to_contain_text("“it deploys by itself, look first”")
    await expect(page.locator("#freeze-open")).to_be_hidden()
    await fits(page)
    await say(page, "/run host.uptime")
    await expect(page.locator(".error").last).to_contain_text("everything is frozen")
    anna = visitor(house, "anna")
    assert anna.client.get("/api/freeze").json()["by"] == "Owner"
    refused = anna.post("/api/freeze", {"on": False})
    anna.client.close()
    assert (refused.status_code, "may not unfreeze" in refused.json()["error"]) == (403, True)
    for body in ({}, {"on": True, "reason": "x" * 201}, {"on": True, "by": "anna"}):
        assert house.post("/api/freeze", body).status_code == 422
    await page.reload()
    await page.locator("#unfreeze-open").click()
    await fits(page)
    await page.locator("#freeze-go").click()
    await expect(banner).to_be_hidden()
    assert bulkhead(house, "audit", "verify").returncode == 0


async def test_the_first_passphrase_is_chosen_and_a_wrong_one_approves_nothing(house: House, page: Page) -> None:
    card, approve = await ask(page, "/run workspace.hard text=first")
    await approve.click()
    dialog, why = page.locator("#proof"), page.locator("#proof-why")
    await expect(dialog).to_contain_text("Choose a passphrase")
    await fits(page)
    await enter(page, "short", "short")
    await expect(why).to_contain_text("12 to 200 characters")
    await enter(page, WORDS, WORDS + "x")
    await expect(why).to_contain_text("the same both times")
    await enter(page, WORDS, WORDS)
    await expect(card).to_contain_text("exit code 0")

    card, approve = await ask(page, "/run workspace.hard text=second")
    await approve.click()
    await expect(page.locator("#passphrase-again")).to_be_hidden()
    await enter(page, "not " + WORDS)
    await expect(why).to_contain_text("That is not your passphrase; nothing was approved.")
    await fits(page)
    await page.locator("#proof-cancel").click()
    await expect(approve).to_be_enabled()
    assert "second" not in effects(house.home)
    await approve.click()
    await enter(page, WORDS)
    await expect(card).to_contain_text("exit code 0")
    assert effects(house.home).count("second") == 1


async def test_a_wrong_number_approves_nothing_and_risk_three_waits_for_eyes(house: House, page: Page) -> None:
    card, right = await ask(page, "/run workspace.final text=final")
    await right.click()
    await enter(page, WORDS)
    await expect(page.locator(".error").last).to_contain_text("5 s after its card was shown")
    await expect(right).to_be_enabled()
    wrong = card.get_by_role("button", name=re.compile("^Approve")).filter(has_not_text=await right.inner_text())
    await wrong.first.click()
    await enter(page, WORDS)
    await expect(page.locator(".error").last).to_contain_text("not the number")
    await expect(right).to_be_enabled()
    assert "final" not in effects(house.home)
    await page.wait_for_timeout(3000)
    await right.click()
    await enter(page, WORDS)
    await expect(card).to_contain_text("exit code 0")


async def test_five_wrong_passphrases_lock_it_for_a_while(house: House, page: Page) -> None:
    card, approve = await ask(page, "/run workspace.hard text=locked")
    await approve.click()
    why = page.locator("#proof-why")
    for number in range(5):
        await enter(page, f"wrong one, number {number}")
        await expect(page.locator("#proof-go")).to_be_enabled()
        await expect(why).not_to_be_empty()
    await enter(page, WORDS)
    await expect(why).to_have_text("5 passphrases were wrong; wait 5 minutes.")
    await page.locator("#proof-cancel").click()
    await card.get_by_role("button", name="Deny").click()
    await expect(card).to_contain_text("Denied")
    assert "locked" not in effects(house.home)
