"""Every page of the table: light, without a complaint, fit for anyone, at three widths."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from cloud_api.pages.contents import PAGES
from tests.e2e.conftest import Shop

pytestmark = pytest.mark.needs("chromium")

LIGHT_BYTES = 300_000
WINDOW = "from=2026-03-03&to=2026-03-04"
ADDRESSES = [page.path.replace("{line}", "one") for page in PAGES] + ["/login", "/docs"]
SERIOUS = {"serious", "critical"}


def asked(path: str) -> str:
    """The page over a window with data, where it takes one."""
    takes = (
        path not in ("/login", "/docs", "/periods", "/plant", "/timeline", "/agents") and "/floor" not in path
    )
    return f"{path}?{WINDOW}" if takes else path


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_page_fits_is_light_and_shuts_nobody_out(browser: Browser, shop: Shop, path: str) -> None:
    context = browser.new_context(base_url=shop.address, bypass_csp=True)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    answer = page.goto(asked(path))
    assert answer is not None
    assert answer.status == 200
    assert len(page.content().encode()) < LIGHT_BYTES
    assert page.locator("h1").count() == 1
    assert page.title()
    for width in (390, 820, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"at {width}"
    for scheme in ("light", "dark") if path != "/docs" else ():
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert serious(page) == [], scheme
    context.close()
    assert said == []


def serious(page: Page) -> list[tuple[str, str, list[str]]]:
    """What axe-core calls serious or critical."""
    return [
        (one["id"], one["help"], [node["html"][:160] for node in one["nodes"][:3]])
        for one in Axe().run(page).response["violations"]
        if one["impact"] in SERIOUS
    ]
