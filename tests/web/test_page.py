"""The page in a real browser: Debian's chromium, driven by playwright, against the real server."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from bot.web import PendingCard
from layers.types import Button, ButtonStyle, OutboundKind, Picture
from tests.adapters.text.test_html import HOSTILE
from tests.conftest import skip
from tests.fakes.browser import CHROMIUM, chromium
from tests.web.conftest import GUEST, House, in_minutes, open_house

pytestmark = pytest.mark.asyncio(loop_scope="module")
APPROVE = Button(label="Approve", value="approval:approve:h1", style=ButtonStyle.PRIMARY)
DENY = Button(label="Deny", value="approval:deny:h1", style=ButtonStyle.DANGER)


def png(width: int, height: int, grey: int = 200) -> bytes:
    """A picture of one shade."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = (b"\0" + bytes([grey]) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Debian's chromium, started once."""
    if not CHROMIUM.exists():
        skip(f"no {CHROMIUM}: install Debian's package chromium")
    async with chromium() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def house(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[House]:
    """A page that runs on SQLite, on the browser's event loop."""
    async with open_house(sqlite_template, tmp_path / "page.db") as built:
        yield built


@pytest_asyncio.fixture(loop_scope="module")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A browser without a session."""
    opened = await browser.new_context(viewport={"width": 1100, "height": 800})
    opened.set_default_timeout(15_000)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(house: House, context: BrowserContext) -> AsyncIterator[Page]:
    """The page, signed in by its printed link, connected. A script that fails or a breach of policy fails the test."""
    opened = await context.new_page()
    broken: list[str] = []
    opened.on("pageerror", lambda error: broken.append(str(error)))
    opened.on("console", lambda line: broken.append(line.text) if "Content Security Policy" in line.text else None)
    await opened.goto(await house.link())
    await expect(opened.locator("#link")).to_have_attribute("data-state", "on")
    yield opened
    assert broken == []


async def reload(page: Page) -> None:
    await page.reload()
    await expect(page.locator("#link")).to_have_attribute("data-state", "on")


async def test_without_a_session_the_page_says_how_to_get_one(house: House, context: BrowserContext) -> None:
    page = await context.new_page()
    await page.goto(house.url)
    await expect(page.get_by_role("heading", name="Open Bulkhead with its link")).to_be_visible()
    await expect(page.locator("#gate pre")).to_have_text("bulkhead link")
    await expect(page.locator("#app")).to_be_hidden()
    await page.goto(f"{house.url}/?x=1#token=wrong")
    await expect(page.locator("#gate-why")).to_have_text("This link is not known; run `bulkhead link` for a new one.")


async def test_the_link_signs_in_and_leaves_no_token_behind(house: House, page: Page) -> None:
    assert page.url == f"{house.url}/"
    assert await page.evaluate("document.cookie") == ""
    cookie = (await page.context.cookies())[0]
    assert cookie.get("httpOnly") is True
    assert cookie.get("sameSite") == "Strict"
    await reload(page)
    await expect(page.locator("#who")).to_contain_text("Ada")


async def test_a_message_is_sent_by_enter_worked_on_and_answered_in_place(house: House, page: Page) -> None:
    box = page.get_by_label("Message", exact=True)
    await box.fill("first line")
    await box.press("Shift+Enter")
    await box.press_sequentially("second")
    await box.press("Enter")
    await expect(page.locator(".own .said")).to_have_text("first line\nsecond", use_inner_text=True)
    await expect(box).to_have_value("")
    await house.say("Looking at it", key="t1", kind=OutboundKind.WORKING)
    await expect(page.locator(".working .pulse")).to_be_visible()
    await house.say("It is **done**.", key="t1")
    await expect(page.locator("[data-key=t1] strong")).to_have_text("done")
    await expect(page.locator(".working")).to_have_count(0)
    assert [inbound.text for inbound in house.taken] == ["first line\nsecond"]
    await reload(page)
    assert await page.locator(".message").count() == 2
    await expect(page.locator(".message").nth(0)).to_contain_text("first line")
    await expect(page.locator(".message").nth(1)).to_contain_text("It is done.")


async def test_what_is_written_while_the_server_is_away_is_sent_once_it_is_back(house: House, page: Page) -> None:
    await house.stop()
    await expect(page.locator("#link-text")).to_have_text("Reconnecting…")
    box = page.get_by_label("Message", exact=True)
    await box.fill("are you there?")
    await box.press("Enter")
    await expect(page.locator(".own .state")).to_have_text("Not sent yet, retrying…")
    await house.say("Said while you were away")
    await house.start()
    await expect(page.locator(".message")).to_have_count(2)
    await expect(page.locator("#link")).to_have_attribute("data-state", "on")
    await expect(page.locator(".own .state")).to_have_text("")
    assert [inbound.text for inbound in house.taken] == ["are you there?"]


async def test_an_answer_lost_on_the_way_back_does_not_double_the_message(house: House, page: Page) -> None:
    dropped = asyncio.Event()

    async def drop_first(route) -> None:
        if dropped.is_set():
            await route.continue_()
            return
        await route.fetch()  # the server took it; the browser never hears of it
        dropped.set()
        await route.abort()

    await page.route("**/api/messages", drop_first)
    await page.get_by_label("Message", exact=True).fill("once")
    await page.keyboard.press("Enter")
    await expect(page.locator(".own")).to_have_count(1)
    while len(house.taken) < 2:
        await asyncio.sleep(0.05)
    await reload(page)
    await expect(page.locator(".own")).to_have_count(1)
    assert len({inbound.event_id for inbound in house.taken}) == 1


async def test_a_message_the_server_refuses_can_be_edited(house: House, page: Page) -> None:
    box = page.get_by_label("Message", exact=True)
    await box.fill("x" * 66_000)
    await box.press("Enter")
    await expect(page.locator("#hint")).to_contain_text("a message holds at most 64 KiB")
    await page.route("**/api/messages", lambda route: route.fulfill(status=422, json={"error": "not like this"}))
    await box.fill("something")
    await box.press("Enter")
    await expect(page.locator(".own.failed .state")).to_contain_text("not like this")
    await page.get_by_role("button", name="Edit").click()
    await expect(box).to_have_value("something")
    await expect(page.locator(".own")).to_have_count(0)


async def test_approve_pressed_twice_is_one_press_and_the_card_shows_the_outcome(house: House, page: Page) -> None:
    card = "**workspace.make**\n\n```\nmake test\n```"
    await house.say(card, key="a1", kind=OutboundKind.CARD, buttons=(APPROVE, DENY))
    await page.get_by_role("button", name="Approve").dblclick()
    await expect(page.locator(".note")).to_have_text("Approve: received")
    await expect(page.get_by_role("button", name="Deny")).to_be_disabled()
    await expect(page.locator(".message").nth(1)).to_contain_text("Ada pressed approval:approve:h1 on a1")
    await house.say("**workspace.make** approved by Ada: exit 0", key="a1", kind=OutboundKind.CARD)
    await expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    await expect(page.locator("[data-key=a1]")).to_contain_text("approved by Ada")
    assert len(house.taken) == 1


async def test_a_card_hides_no_line_of_its_plan(house: House, page: Page) -> None:
    plan = "\n".join([*(f"line {n}" for n in range(60)), "x" * 400])
    await house.say(f"```\n{plan}\n```", key="a1", kind=OutboundKind.CARD, buttons=(APPROVE, DENY))
    block = page.locator("[data-key=a1] pre")
    await expect(block).to_contain_text("line 59")
    assert await block.evaluate("pre => [pre.scrollHeight - pre.clientHeight, pre.scrollWidth - pre.clientWidth]") == [
        0,
        0,
    ]


async def test_a_button_works_on_a_card_from_before_a_restart(house: House, page: Page) -> None:
    await house.say("a card", key="a1", kind=OutboundKind.CARD, buttons=(APPROVE, DENY))
    await expect(page.get_by_role("button", name="Deny")).to_be_visible()
    await house.stop()
    await house.start()
    await page.get_by_role("button", name="Deny").click()
    await expect(page.locator(".message").nth(1)).to_contain_text("Ada pressed approval:deny:h1")


async def test_a_picture_is_shown_enlarged_by_a_click_and_closed_by_escape(house: House, page: Page) -> None:
    digest = await house.keep(png(640, 4000))
    await house.say("Drawn.", picture=Picture(digest=digest, alt="Two boxes", width=640, height=4000))
    picture = page.get_by_role("img", name="Two boxes")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 640
    assert await picture.evaluate("image => image.clientWidth") == 320, "however high: the lint checked it at 2x"
    await page.get_by_role("button", name="Enlarge the picture: Two boxes").click()
    await expect(page.locator("#viewer")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#viewer")).to_be_hidden()


async def test_a_picture_follows_the_browsers_colour_scheme(house: House, page: Page) -> None:
    light, dark = await house.keep(png(64, 40)), await house.keep(png(64, 40, 20))
    await house.say("Drawn.", picture=Picture(digest=light, alt="Two boxes", width=64, height=40, dark=dark))
    image, viewer = page.get_by_role("img", name="Two boxes"), page.locator("#viewer-image")
    for scheme, digest in (("dark", dark), ("light", light)):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await expect(image).to_have_js_property("currentSrc", f"{house.url}/media/{digest}")
        await page.get_by_role("button", name="Enlarge the picture: Two boxes").click()
        await expect(viewer).to_have_attribute("src", f"/media/{digest}")
        await page.keyboard.press("Escape")


async def test_an_example_in_help_fills_the_input(house: House, page: Page) -> None:
    await house.say("Try `/run host.disk`, or this:\n\n```\n/diagram\ngraph TD\n```")
    await page.locator(".words .command").first.click()
    await expect(page.get_by_label("Message", exact=True)).to_have_value("/run host.disk")
    await page.get_by_role("button", name="Use this").click()
    await expect(page.get_by_label("Message", exact=True)).to_have_value("/diagram\ngraph TD")
    await page.keyboard.press("Escape")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("")
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("/diagram\ngraph TD")


async def test_pending_approvals_are_counted_and_lead_to_their_card(house: House, page: Page) -> None:
    await house.say("a card elsewhere", key="a9", kind=OutboundKind.CARD, buttons=(APPROVE,), conversation="ops")
    house.cards.append(
        PendingCard(id="a9", title="workspace.make", conversation="web:ops", expires_at=in_minutes(12), key="a9")
    )
    await reload(page)
    await expect(page.locator("#pending-count")).to_have_text("1")
    await expect(page).to_have_title("(1) Bulkhead")
    await expect(page.locator("#pending")).to_contain_text("12 min left")
    await page.locator("#pending a").click()
    await expect(page.locator("[data-key=a9]")).to_be_focused()
    house.cards.clear()
    await house.say("decided", key="a9", kind=OutboundKind.CARD, conversation="ops")
    await expect(page.locator("#pending-none")).to_be_visible()
    await expect(page).to_have_title("Bulkhead")


async def test_a_new_chat_is_a_conversation_of_its_own(house: House, page: Page) -> None:
    await house.say("in main")
    await expect(page.locator(".message")).to_have_count(1)
    await page.get_by_role("button", name="New chat").click()
    await expect(page.get_by_role("heading", name="What shall we do?")).to_be_visible()
    await page.get_by_label("Message", exact=True).fill("a fresh start")
    await page.keyboard.press("Enter")
    await expect(page.locator("#title")).to_have_text("a fresh start")
    await page.get_by_role("link", name="Main").click()
    await expect(page.locator(".message")).to_contain_text(["in main"])
    assert house.taken[0].address.conversation.startswith("chat-")


async def test_hostile_markdown_is_dead_in_the_browser(house: House, page: Page) -> None:
    await page.evaluate("() => { window.alert = () => { window.harmed = true; }; }")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await house.say("\n\n".join(HOSTILE), key="evil")
    for n, text in enumerate(HOSTILE):
        await house.say(text, key=f"evil{n}")
    await expect(page.locator(".message")).to_have_count(len(HOSTILE) + 1)
    words = page.locator(".words")
    assert (
        await words.locator("script, img, svg, style, iframe, object, [onclick], [onerror], [onload], [style]").count()
        == 0
    )
    for href in await words.locator("a").evaluate_all("links => links.map(link => link.href)"):
        assert href.startswith("https://a.example/")
    await page.evaluate(
        "document.querySelectorAll('.words *').forEach(node => node.dispatchEvent(new MouseEvent('mouseover')))"
    )
    for command in await words.locator(".command").all():
        await command.click()
    assert await page.evaluate("window.harmed") is None
    assert all(url.startswith(house.url) for url in asked)


async def test_what_a_person_types_is_never_markup(house: House, page: Page) -> None:
    await page.get_by_label("Message", exact=True).fill("<img src=x onerror=alert(1)> **plain**")
    await page.keyboard.press("Enter")
    await expect(page.locator(".own .said")).to_have_text("<img src=x onerror=alert(1)> **plain**")
    assert await page.locator(".own img").count() == 0


async def test_the_policy_stops_a_script_that_got_in(house: House, context: BrowserContext) -> None:
    page = await context.new_page()
    await page.goto(house.url)
    await page.evaluate("""() => {
        const node = document.createElement("div");
        node.innerHTML = '<img src="/none" onerror="window.harmed = true">';
        document.body.append(node);
        return new Promise((done) => setTimeout(done, 300));
    }""")
    assert await page.evaluate("() => document.querySelector('img[src=\"/none\"]').complete") is True
    assert await page.evaluate("window.harmed") is None


async def test_reading_older_messages_is_not_interrupted_by_new_ones(house: House, page: Page) -> None:
    for n in range(40):
        await house.say(f"line {n}\n\nmore")
    await expect(page.locator(".message")).to_have_count(40)
    box = page.locator("#scroll")
    assert await box.evaluate("box => box.scrollHeight - box.scrollTop - box.clientHeight") < 90
    await box.evaluate("box => { box.scrollTop = 0; }")
    await house.say("news")
    await expect(page.get_by_role("button", name="New messages")).to_be_visible()
    assert await box.evaluate("box => box.scrollTop") == 0
    await page.get_by_role("button", name="New messages").click()
    await expect(page.get_by_text("news", exact=True)).to_be_in_viewport()


async def test_on_a_phone_nothing_is_cut_off(house: House, page: Page) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    digest = await house.keep(png(1600, 900))
    long = "a name of a conversation that does not fit on any phone"
    await page.get_by_label("Message", exact=True).fill(f"{long} at all")
    await page.keyboard.press("Enter")
    house.cards.append(
        PendingCard(id="a1", title=long.replace(" ", "-"), conversation="web:main", expires_at=in_minutes(99))
    )
    await page.goto(f"{house.url}/#c=other")
    await page.get_by_label("Message", exact=True).fill(long)
    await page.keyboard.press("Enter")
    await expect(page.locator("#title")).to_have_text(long)
    wide = "| " + " | ".join("a long heading" for _ in range(9)) + " |\n|" + "--|" * 9
    text = f"{'verylongword' * 30}\n\n```\n{'x' * 300}\n```\n\n{wide}"
    picture = Picture(digest=digest, alt="wide", width=1600, height=900)
    await house.say(text, conversation="other", buttons=(APPROVE, DENY), picture=picture)
    await expect(page.get_by_role("button", name="Deny")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    for region in (".chat", ".chat > header", "#composer"):
        assert await page.locator(region).evaluate("node => node.getBoundingClientRect().right") <= 360
    assert await page.locator("#scroll").evaluate("box => box.scrollWidth - box.clientWidth") == 0
    await page.get_by_role("button", name="Open the menu").click()
    await expect(page.get_by_role("button", name="New chat")).to_be_in_viewport()
    assert await page.locator("#side").evaluate("side => side.scrollWidth - side.clientWidth") == 0
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="New chat")).to_be_hidden()


async def test_another_person_sees_whose_message_it_was_and_presses_as_themselves(
    house: House, page: Page, browser: Browser
) -> None:
    other = await browser.new_context()
    guest = await other.new_page()
    await guest.goto(await house.link(GUEST))
    await expect(guest.locator("#link")).to_have_attribute("data-state", "on")
    await house.say("a card", key="a1", kind=OutboundKind.CARD, buttons=(APPROVE,))
    await guest.get_by_role("button", name="Approve").click()
    await expect(page.locator(".message").nth(1)).to_contain_text("Grace pressed approval:approve:h1")
    await other.close()


async def test_signing_out_closes_the_page(house: House, page: Page) -> None:
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.locator("#gate")).to_be_visible()
    await page.reload()
    await expect(page.locator("#gate")).to_be_visible()
