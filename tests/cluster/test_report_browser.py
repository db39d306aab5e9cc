"""The page about a plan in a real browser, headless; skipped where there is none.

The browser is Chromium as the system has it, or as OGAS_CHROMIUM names it.
"""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import problems
import pytest

from ogas.cluster.cli import main
from ogas.datasets.store import publish

playwright = pytest.importorskip("playwright.sync_api")

BROWSER = os.environ.get("OGAS_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
LAPTOP, PHONE = (1280, 900), (375, 812)
NAMES = ["national", "in blocks", "prices", "long names", "one product"]
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Pages about a few plans, by name."""
    folder = tmp_path_factory.mktemp("reports")
    publish(folder / "sectors", problems.solvable("sectors:S2,signed,imports=0.4,units=mixed"))
    publish(folder / "long", with_long_names())
    publish(folder / "one", problems.table_of([[0.5]]))
    pages = {}
    for name, command, table in (
        ("national", "plan", "us-2021"),
        ("in blocks", "plan", folder / "sectors"),
        ("prices", "price", "us-2021"),
        ("long names", "plan", folder / "long"),
        ("one product", "plan", folder / "one"),
    ):
        plan, page = folder / f"{name}.zarr", folder / f"{name}.html"
        assert main([command, str(table), "-o", str(plan)]) == 0
        assert main(["report", str(plan), "-o", str(page)]) == 0
        pages[name] = page
    return pages


LONG_NAMES = (
    "Manufacture of builders' carpentry and joinery of wood, cork, straw and plaiting materials",
    "Производство, передача и распределение электроэнергии, газа, пара и горячей воды",
    "石油加工、炼焦和核燃料加工业及其他能源产品制造业和电力热力的生产和供应业",
    "Rindfleischetikettierungsüberwachungsaufgabenübertragungsdienstleistungen",
)


def with_long_names():
    """An economy whose products have long names, in several scripts."""
    table = problems.solvable("sectors:S1")
    names = [f"{LONG_NAMES[i % len(LONG_NAMES)]} {i}" for i in range(len(table))]
    units = np.array([f"thousand metric tons of dry matter, {i % 3}" for i in range(len(table))])
    return replace(table, names=np.array(names), units=units, blocks=None)


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
@pytest.mark.parametrize("name", NAMES)
def test_a_page_fits_its_window_in_light_and_dark(reports, visit, name, scheme, size):
    page = visit(reports[name], scheme, size)
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    for summary in page.locator("summary:visible").all():
        summary.click()
    page.locator("#matches button").last.click()
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
    assert pictures.count() == page.locator("svg:visible").count() == 9
    names = pictures.evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")
    assert all(names)
    assert len(set(names)) == len(names)
    for control in page.locator("a:visible, button:visible, input").all():
        assert control.inner_text().strip() or control.get_attribute("id") == "query"
    assert page.get_by_label("Name or id").count() == 1


CONTRAST = """([selector, property]) => {
  const light = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((one) => {
    const x = one / 255;
    return x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  }).reduce((sum, x, k) => sum + x * [0.2126, 0.7152, 0.0722][k], 0);
  const paper = light(getComputedStyle(document.body).backgroundColor);
  return [...document.querySelectorAll(selector)]
    .map((node) => light(getComputedStyle(node)[property]))
    .map((ink) => (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05))
    .reduce((least, one) => Math.min(least, one), 99);
}"""
LETTERS = "p, dt, dd, small, a, td, th, button, summary, .legend span"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_and_marks_stand_out_from_their_paper(reports, visit, scheme):
    page = visit(reports["national"], scheme)
    assert page.evaluate(CONTRAST, [LETTERS, "color"]) >= 4.5
    assert page.evaluate(CONTRAST, ["svg text", "fill"]) >= 4.5
    assert page.evaluate(CONTRAST, ["svg .dot, svg .minus", "fill"]) >= 3
    # The palest squares have to be told from those that are left out; legend and readout name them.
    assert page.evaluate(CONTRAST, ["svg path.h1", "fill"]) >= 1.12


OUTSIDE = """() => [...document.querySelectorAll("svg text")].filter((text) => {
  const { x, y, width, height } = text.getBBox(), whole = text.ownerSVGElement.viewBox.baseVal;
  if (!width || text.getAttribute("transform")) return false;
  return x < -1 || y < -1 || x + width > whole.width + 1 || y + height > whole.height + 3;
}).map((text) => text.textContent)"""
TOUCHING = """() => [...document.querySelectorAll("svg")].flatMap((svg) => {
  const boxes = [...svg.querySelectorAll("text.end, text.beside")]
    .filter((text) => text.getClientRects().length).map((text) => [text.getBBox(), text]);
  return boxes.flatMap(([a, one], k) => boxes.slice(k + 1).filter(([b]) =>
    a.x < b.x + b.width && b.x < a.x + a.width
    && a.y + 2 < b.y + b.height && b.y + 2 < a.y + a.height
  ).map(([, other]) => `${one.textContent} / ${other.textContent}`));
})"""


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
@pytest.mark.parametrize("name", NAMES)
def test_no_word_of_a_picture_is_cut_off_or_lies_on_another(reports, visit, name, size):
    page = visit(reports[name], size=size)
    assert page.locator("svg text:visible").count() > 10
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(TOUCHING) == []


def test_names_that_begin_alike_are_told_apart_in_pictures(reports, visit):
    page = visit(reports["long names"])
    names = page.locator("#largest .wide text.name").all_text_contents()
    assert len(set(names)) == len(names) == 15
    assert any("…" in name for name in names)


def test_the_search_begins_with_the_largest_products(reports, visit):
    page = visit(reports["national"])
    offered = page.locator("#matches button").all_inner_texts()
    drawn = page.locator("#largest .wide text.name").all_text_contents()
    assert len(offered) == 5
    assert drawn[1] == offered[1] == "Housing"


def test_paper_has_all_pictures_but_no_buttons(reports, visit):
    page = visit(reports["national"], size=PHONE)
    page.emulate_media(media="print")
    assert page.locator("figure .wide svg:visible").count() >= 6
    assert page.locator(".narrow:visible, .keep:visible, nav:visible, #search:visible").count() == 0


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


def test_the_heat_map_is_read_with_the_arrow_keys(reports, visit):
    page = visit(reports["national"])
    page.locator("svg.flows:visible").focus()
    told = page.locator("#flow")
    for key, names in (
        ("ArrowRight", "Farms → Farms: "),  # it begins at the first square
        ("ArrowRight", "Farms → Oil and gas extraction: "),
        ("ArrowDown", "Oil and gas extraction → Oil and gas extraction: "),
        ("ArrowLeft", "Oil and gas extraction → Farms: "),
        ("ArrowLeft", "Oil and gas extraction → Farms: "),  # there is nothing further left
    ):
        page.keyboard.press(key)
        assert told.inner_text().startswith(names)


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_can_be_kept_as_a_picture_and_as_numbers(reports, visit, name):
    page = visit(reports[name], size=PHONE)
    for figure in page.locator("figure:has(svg)").all():
        assert figure.locator("button.png:visible").count() == 1
        link = figure.locator("a[download]")
        assert link.get_attribute("download") == f"{figure.get_attribute('id')}.csv"


def test_a_phone_saves_the_picture_with_all_names(reports, visit, tmp_path):
    sizes = []
    for size in (LAPTOP, PHONE):
        page = visit(reports["national"], size=size)
        with page.expect_download() as download:
            page.locator("#flows button.png").click()
        download.value.save_as(tmp_path / "flows.png")
        sizes.append((tmp_path / "flows.png").read_bytes()[16:20])  # its width
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_picture_is_saved_as_a_picture_that_is_not_empty(reports, visit, tmp_path, scheme):
    page = visit(reports["national"], scheme)
    buttons = page.locator("button.png")
    assert buttons.count() == 9
    for button in buttons.all():
        with page.expect_download() as download:
            button.click()
        file = tmp_path / download.value.suggested_filename
        download.value.save_as(file)
        assert file.read_bytes().startswith(b"\x89PNG")
        assert file.stat().st_size > 20_000  # nothing but paper takes less
    assert len(list(tmp_path.glob("*.png"))) == 9


def test_numbers_are_saved_without_a_script(reports, visit, tmp_path):
    page = visit(reports["national"])
    with page.expect_download() as download:
        page.locator("#flows a[download]").click()
    download.value.save_as(tmp_path / "flows.csv")
    lines = (tmp_path / "flows.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "supplier,user,value"
    assert len(lines) > 1_800
