"""The page about a plan in a real browser, headless; skipped where there is none.

The browser is Chromium as the system has it, or as OGAS_CHROMIUM names it.
"""

import os
import shutil
from pathlib import Path

import problems
import pytest

from ogas.cluster.cli import main
from ogas.datasets.store import publish

playwright = pytest.importorskip("playwright.sync_api")

BROWSER = os.environ.get("OGAS_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
LAPTOP, PHONE = (1280, 900), (375, 812)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Pages about a few plans, by name."""
    folder = tmp_path_factory.mktemp("reports")
    publish(folder / "sectors", problems.solvable("sectors:S2,signed,imports=0.4,units=mixed"))
    pages = {}
    for name, command, table in (
        ("national", "plan", "us-2021"),
        ("in blocks", "plan", folder / "sectors"),
        ("prices", "price", "us-2021"),
    ):
        plan, page = folder / f"{name}.zarr", folder / f"{name}.html"
        assert main([command, str(table), "-o", str(plan)]) == 0
        assert main(["report", str(plan), "-o", str(page)]) == 0
        pages[name] = page
    return pages


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as found:
        # Where tests run as root, Chromium has no sandbox.
        opened = found.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser):
    """Open a page; whatever it complains of, or asks a network for, fails the test."""
    complaints, contexts = [], []

    def open_page(file: Path, scheme="light", size=LAPTOP):
        width, height = size
        context = browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": height}
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        url = file.as_uri()
        page.on(
            "request",
            lambda asked: asked.url.startswith((url, "data:")) or complaints.append(asked.url),
        )
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["national", "in blocks", "prices"])
def test_a_page_fits_its_window_in_light_and_dark(reports, visit, name, scheme, size):
    page = visit(reports[name], scheme, size)
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    for summary in page.locator("summary:visible").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 27)"}[scheme]
    drawn = page.locator("figure svg:visible")
    assert drawn.count() == page.locator("figure:has(svg)").count() >= 2
    for drawing in drawn.all():
        box = drawing.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size[0]


def test_every_picture_and_every_control_has_a_name(reports, visit):
    page = visit(reports["national"])
    pictures = page.get_by_role("img")
    assert pictures.count() == page.locator("svg:visible").count() == 8
    names = pictures.evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")
    assert all(names)
    assert len(set(names)) == len(names)
    for control in page.locator("a:visible, button:visible, input").all():
        assert control.inner_text().strip() or control.get_attribute("id") == "query"
    assert page.get_by_label("Name or id").count() == 1


def test_letters_stand_out_from_their_paper(reports, visit):
    contrast = """() => {
      const light = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((one) => {
        const x = one / 255;
        return x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
      }).reduce((sum, x, k) => sum + x * [0.2126, 0.7152, 0.0722][k], 0);
      const paper = light(getComputedStyle(document.body).backgroundColor);
      return [...document.querySelectorAll("p, dt, dd, small, a, td, th, button, summary")]
        .map((node) => light(getComputedStyle(node).color))
        .map((ink) => (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05))
        .reduce((least, one) => Math.min(least, one), 99);
    }"""
    for scheme in ("light", "dark"):
        assert visit(reports["national"], scheme).evaluate(contrast) >= 4.5


def test_a_product_is_found_with_the_keyboard_alone(reports, visit):
    page = visit(reports["national"], size=PHONE)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # skips to the search
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "query"
    page.keyboard.type("metal")
    found = page.locator("#matches button").all_inner_texts()
    assert {"Fabricated metal products", "Primary metals"} < set(found)
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    told = page.locator("#product")
    assert told.locator("h3").inner_text() == found[1]
    assert "$ million" in told.inner_text()
    assert "Main inputs" in told.inner_text()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.type(" nobody makes")
    assert "No product in this page" in page.locator("#matches").inner_text()


def test_enter_shows_the_product_that_is_called_exactly_so(reports, visit):
    page = visit(reports["in blocks"])
    page.locator("#query").fill("7")
    page.locator("#query").press("Enter")
    assert page.locator("#product h3").inner_text() == "7"
    page.locator("#product .sides button").first.click()  # and on to one of its suppliers
    assert page.locator("#product dl").count() == 1


def test_the_heat_map_tells_the_flow_under_the_pointer(reports, visit):
    page = visit(reports["national"], size=PHONE)
    page.locator("svg.flows:visible").scroll_into_view_if_needed()
    box = page.locator("svg.flows:visible").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] - 8)
    assert page.locator("#flow").inner_text().startswith("24 other products → 24 other products: ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_picture_is_saved_as_a_picture_that_is_not_empty(reports, visit, tmp_path, scheme):
    page = visit(reports["national"], scheme)
    buttons = page.locator("button.png")
    assert buttons.count() == 8
    for button in buttons.all():
        with page.expect_download() as download:
            button.click()
        file = tmp_path / download.value.suggested_filename
        download.value.save_as(file)
        assert file.read_bytes().startswith(b"\x89PNG")
        assert file.stat().st_size > 20_000  # nothing but paper takes less
    assert len(list(tmp_path.glob("*.png"))) == 8


def test_numbers_are_saved_without_a_script(reports, visit, tmp_path):
    page = visit(reports["national"])
    with page.expect_download() as download:
        page.locator("#flows a[download]").click()
    download.value.save_as(tmp_path / "flows.csv")
    lines = (tmp_path / "flows.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "supplier,user,value"
    assert len(lines) > 1_800
