"""Makes the pictures of the README from the running page: the real server, a real browser, nothing staged.

`make screenshots`, or `python -m docs.screenshots [FOLDER]`; needs Debian's chromium. Only the model's keys of whoever
runs it are kept away, so that the pictures are the same everywhere.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.fakes.browser import chromium
from tests.fakes.house import House

HERE = Path(__file__).parent
MOST_BYTES = 300_000
DIAGRAM = """\
/diagram
flowchart LR
  people([People]) --> transport[Transport]
  transport --> agent{{Agent}}
  agent --> routing[Routing]
  agent --> presentation[Presentation]
  agent --> control[Control]
  agent --> coordination[Coordination]
  control --> executor[[Executor]]
"""
NOTE = '/run workspace.write-note name=release text="Ship on Monday, after the backup."'


async def sign_in(browser: Browser, house: House, *, width: int, height: int, is_dark: bool = False) -> Page:
    """A page of that size, open in the house."""
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=2 if width < 500 else 1.5,
        color_scheme="dark" if is_dark else "light",
        reduced_motion="reduce",
        locale="en-GB",
    )
    page = await context.new_page()
    await page.goto(house.url)
    await expect(page.locator("#link")).to_have_attribute("data-state", "on")
    return page


async def say(page: Page, text: str) -> None:
    """Send a message."""
    await page.get_by_label("Message", exact=True).fill(text)
    await page.get_by_label("Send").click()


async def shoot(page: Page, path: Path) -> None:
    """Write what is seen, once its pictures are there."""
    await page.evaluate("() => Promise.all([...document.images].map(image => image.src && image.decode()))")
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(300)
    await page.screenshot(path=path)
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{path} has {path.stat().st_size} bytes; {MOST_BYTES} is the most")
    sys.stdout.write(f"{path}: {path.stat().st_size // 1000} kB\n")


async def desktop(browser: Browser, house: House, path: Path) -> None:
    """A diagram, and a note that a person approved."""
    page = await sign_in(browser, house, width=1180, height=1275)
    await say(page, DIAGRAM)
    await page.get_by_role("button", name="Approve").click()
    await expect(page.locator(".message").last).to_contain_text("pproved by")
    await say(page, NOTE)
    await page.get_by_role("button", name="Approve").last.click()
    await expect(page.locator(".card").last).to_contain_text("exit code 0", timeout=20_000)
    await shoot(page, path)


async def phone(browser: Browser, house: House, path: Path) -> None:
    """The same, in the dark, with a card that waits."""
    page = await sign_in(browser, house, width=360, height=880, is_dark=True)
    await say(page, "/run workspace.make target=hello")
    await expect(page.get_by_role("button", name="Deny")).to_be_visible()
    await shoot(page, path)


async def main(folder: Path) -> None:
    """Both pictures."""
    with tempfile.TemporaryDirectory(prefix="bulkhead-") as place:
        house = House(Path(place) / ".bulkhead", env={"BULKHEAD_DISCOVER_MODELS": "false"})
        try:
            async with chromium() as browser:
                for name, take in {"page.png": desktop, "phone.png": phone}.items():
                    house.start()
                    await take(browser, house, folder / name)
                    house.stop()
        finally:
            house.close()


if __name__ == "__main__":
    reader = argparse.ArgumentParser(prog="python -m docs.screenshots", description="The pictures of the README.")
    reader.add_argument("folder", nargs="?", type=Path, default=HERE, metavar="FOLDER", help="one that exists")
    asyncio.run(main(reader.parse_args().folder))
