"""The report in a real browser: Chromium and its driver from the distribution."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from elcrec.report.page import render
from tests.unit.report.report_output import filled

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")

from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

SIZES = {"phone": 360, "desktop": 1280}


def _program(*names: str) -> str:
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(names)} is installed")
    return found


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    """Address of a page with some of everything."""
    folder = tmp_path_factory.mktemp("report")
    path = Path(folder / "index.html")
    path.write_text(render(filled(folder).evidence.config), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    """Chromium without a window; every host is unknown to it."""
    program = _program("chromium", "chromium-browser", "google-chrome")
    driver = _program("chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    made = webdriver.Chrome(options=options, service=Service(driver))
    yield made
    made.quit()


def opened(browser, page: str, width: int = 1280, scheme: str = "light", script: bool = True):
    """Open the page at this width and color scheme, with or without JavaScript."""
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
    browser.get(page)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    return browser


def column(browser, table: str, number: int) -> list[str]:
    """Texts of a column, the first line of each cell."""
    cells = browser.find_elements("css selector", f"#{table} tbody tr > :nth-child({number})")
    return [cell.text.splitlines()[0] for cell in cells]


def color(browser, selector: str, of: str = "backgroundColor") -> str:
    script = f"return getComputedStyle(document.querySelector(arguments[0])).{of}"
    return browser.execute_script(script, selector)


def test_no_error_and_no_request_but_the_page_itself(browser, page):
    browser.get_log("browser"), browser.get_log("performance")  # of earlier pages
    opened(browser, page)
    assert browser.get_log("browser") == []
    events = [json.loads(e["message"])["message"] for e in browser.get_log("performance")]
    sent = [e["params"]["request"]["url"] for e in events if e["method"].endswith("WillBeSent")]
    assert page in sent
    assert {urlsplit(url).scheme for url in sent} <= {"file", "data"}
    assert [url for url in sent if url.startswith("file")] == [page]


def test_images_are_decoded(browser, page):
    opened(browser, page)
    widths = "return [...document.images].map(image => image.naturalWidth)"
    assert browser.execute_script(widths) == [1]


@pytest.mark.parametrize("width", SIZES.values(), ids=SIZES)
def test_nothing_is_wider_than_the_screen(browser, page, width):
    opened(browser, page, width)
    script = """
      const inside = (e) => e.closest(".scroll, pre, .skip");
      const wide = [...document.body.querySelectorAll("*")].filter(
        (e) => !inside(e.parentElement) && e.getBoundingClientRect().right > innerWidth + 1);
      return [document.documentElement.scrollWidth, wide.map((e) => e.outerHTML.slice(0, 80))]
    """
    for details in browser.find_elements("tag name", "details"):
        browser.execute_script("arguments[0].open = true", details)
    total, wide = browser.execute_script(script)
    assert wide == []
    assert total <= width


def test_wide_tables_scroll_in_their_own_box(browser, page):
    opened(browser, page, SIZES["phone"])
    script = "const b = document.querySelector('#table1-beauty').parentElement;"
    script += "return [b.scrollWidth > b.clientWidth, getComputedStyle(b).overflowX, b.tabIndex]"
    assert browser.execute_script(script) == [True, "auto", 0]


def test_a_click_sorts_and_a_second_one_turns_it_around(browser, page):
    opened(browser, page)
    title = browser.find_element("css selector", "#table1-beauty thead th:nth-child(2)")
    before = column(browser, "table1-beauty", 2)
    title.find_element("tag name", "button").click()
    up = column(browser, "table1-beauty", 2)
    assert up[:2] == ["0.0400", "0.0510"]
    assert set(up[2:]) == {"–"}  # gaps last
    assert title.get_attribute("aria-sort") == "ascending"
    title.find_element("tag name", "button").click()
    assert column(browser, "table1-beauty", 2)[:3] == ["0.0510", "0.0400", "–"]
    assert title.get_attribute("aria-sort") == "descending"
    assert sorted(before) == sorted(up)


def test_the_keyboard_sorts_too(browser, page):
    opened(browser, page)
    button = browser.find_element("css selector", "#table1-beauty thead th:first-child button")
    button.send_keys(Keys.ENTER)
    names = column(browser, "table1-beauty", 1)
    assert names == sorted(names, key=str.lower)


def test_without_javascript_all_is_there(browser, page):
    opened(browser, page, script=False)
    assert browser.find_elements("css selector", "thead button") == []
    assert "0.0510" in column(browser, "table1-beauty", 2)


def test_dark_mode_changes_the_colors_and_keeps_contrast(browser, page):
    light = color(opened(browser, page), "body"), color(browser, "td.below.far")
    dark = color(opened(browser, page, scheme="dark"), "body"), color(browser, "td.below.far")
    assert light[0] == "rgb(255, 255, 255)"
    assert light[0] != dark[0]
    assert light[1] != dark[1]
    for scheme in ("light", "dark"):
        opened(browser, page, scheme=scheme)
        for selector in ("td.below.far", "td.close", ".card .note", "td.gap"):
            surface = selector if selector.startswith("td.") and "gap" not in selector else "body"
            ratio = contrast(color(browser, selector, "color"), color(browser, surface))
            assert ratio >= 4.5, (scheme, selector, ratio)  # WCAG AA


def test_print_has_no_contents_and_no_scroll_box(browser, page):
    opened(browser, page)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert color(browser, "nav", "display") == "none"
    assert color(browser, ".scroll", "overflowX") == "visible"
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def contrast(one: str, other: str) -> float:
    """Contrast of two colors as WCAG 2 defines it."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(text: str) -> float:
    parts = [int(part) / 255 for part in text[text.index("(") + 1 : -1].split(",")[:3]]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * p for weight, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
