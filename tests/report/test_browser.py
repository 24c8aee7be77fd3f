"""The page in a real, headless Chromium, opened from disk: whole, silent, moved by keys, sorted, dark."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from report.made_report import CLIPS, ODD, SHOWN

from sfmcam.workspace import ReportFolder

BENCHMARKS = str(Path(__file__).resolve().parents[2] / "benchmarks")
if BENCHMARKS not in sys.path:
    sys.path.append(BENCHMARKS)
headless = importlib.import_module("headless")
LACKING = headless.missing()
# `.ci/run` installs the browser and fails if these are skipped all the same (.ci/measured.py)
pytestmark = pytest.mark.skipif(bool(LACKING), reason=f"no headless browser: {LACKING}")
WAIT_S = 15.0


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    with headless.chromium() as driver:
        yield driver


@pytest.fixture
def page(driver: Any, written: ReportFolder) -> Any:
    """The page, freshly opened in light colours."""
    headless.open_page(driver, written.page)
    return driver


def until(driver: Any, script: str) -> Any:
    """Return what `script` returns as soon as that is true."""
    end = time.monotonic() + WAIT_S
    while not (found := driver.execute_script(f"return {script}")):
        if time.monotonic() > end:
            raise AssertionError(f"never came true: {script}")
        time.sleep(0.02)
    return found


def press(driver: Any, *names: str) -> None:
    from selenium.webdriver.common.keys import Keys

    for name in names:
        driver.switch_to.active_element.send_keys(getattr(Keys, name, name))


def to_clips(driver: Any) -> list[str]:
    """Scroll to the list, wait until it is there, and return its clips in their order."""
    driver.execute_script("document.getElementById('clips').scrollIntoView({ behavior: 'instant' })")
    until(driver, "document.querySelector('#clip-list tbody tr')")
    return listed(driver)


def listed(driver: Any) -> list[str]:
    return driver.execute_script("return [...document.querySelectorAll('#clip-list tbody tr th')].map((cell) => cell.textContent)")


def choose(driver: Any, control: str, value: str) -> None:
    driver.execute_script(
        "const c = document.getElementById(arguments[0]); c.value = arguments[1]; c.dispatchEvent(new Event('change', { bubbles: true }))",
        control,
        value,
    )


def open_name(driver: Any) -> str:
    return driver.execute_script("return document.getElementById('clip-name')?.textContent ?? ''")


def test_every_section_is_drawn_without_a_complaint(page: Any) -> None:
    for figure in ("curve-figure", "runtime-figure"):
        page.execute_script(f"document.getElementById('{figure}').scrollIntoView({{ behavior: 'instant' }})")
        until(page, f"document.querySelector('#{figure} > svg .point')")
    assert page.execute_script("return document.querySelectorAll('#leaderboard tbody tr').length") >= 5
    assert set(to_clips(page)) == set(CLIPS)
    assert not page.execute_script("return document.querySelectorAll('.wait').length") - 1  # that of the pane, which asks to choose a clip
    assert headless.complaints(page) == []


def test_what_is_seen_first_comes_soon(page: Any) -> None:
    assert headless.first_paint_s(page) < 2


def test_an_opened_clip_shows_everything_it_has(page: Any) -> None:
    to_clips(page)
    page.execute_script(
        "[...document.querySelectorAll('#clip-list tbody tr')].find((r) => r.cells[0].textContent === arguments[0]).click()", SHOWN
    )
    until(page, "document.querySelector('#clip canvas')")
    text = page.execute_script("return document.getElementById('clip').innerText")
    assert open_name(page) == SHOWN
    assert "✓ move in" in text
    assert "not labelled: tilt up" in text
    assert "true path" in text
    assert "<i>good</i>" in text
    until(page, "document.querySelector('#clip img.strip').naturalWidth")
    painted = "document.querySelector('#clip canvas').getContext('2d').getImageData(0, 0, 4000, 4000).data.some((v) => v)"
    until(page, painted)
    assert headless.complaints(page) == []


def test_a_clip_whose_video_is_gone_says_so(page: Any) -> None:
    to_clips(page)
    page.execute_script("[...document.querySelectorAll('#clip-list tbody tr')].find((r) => r.cells[0].textContent === 'still').click()")
    until(page, "document.getElementById('clip').innerText.includes('cannot be played here')")
    page.get_log("browser")  # the browser's own word on the file that is no video


def test_the_keyboard_moves_opens_and_comes_back(page: Any) -> None:
    names = to_clips(page)
    page.execute_script("document.querySelector('#clip-list tbody tr[tabindex=\"0\"]').focus()")
    press(page, "ARROW_DOWN", "ARROW_DOWN")
    assert page.switch_to.active_element.text.splitlines()[0].startswith(names[1][:4])
    until(page, f"document.getElementById('clip-name')?.textContent === {names[1]!r}")  # the pane follows where there is room for it
    press(page, "END")
    until(page, f"document.activeElement.cells[0].textContent === {names[-1]!r}")
    press(page, "ENTER")
    until(page, "document.activeElement.id === 'clip-name'")
    assert open_name(page) == names[-1]
    press(page, "ESCAPE")
    assert page.execute_script("return document.activeElement.cells[0].textContent") == names[-1]
    press(page, "HOME")
    assert page.execute_script("return document.activeElement.getAttribute('aria-selected')") == "true"


def test_the_path_is_turned_by_keys(page: Any) -> None:
    to_clips(page)
    page.execute_script(
        "[...document.querySelectorAll('#clip-list tbody tr')].find((r) => r.cells[0].textContent === arguments[0]).click()", SHOWN
    )
    until(page, "document.querySelector('#clip canvas')?.width > 300")
    page.execute_script("document.querySelector('#clip canvas').focus()")
    before = page.execute_script("return document.querySelector('#clip canvas').toDataURL()")
    press(page, "ARROW_LEFT")
    assert page.execute_script("return document.querySelector('#clip canvas').toDataURL()") != before
    press(page, "0")
    assert page.execute_script("return document.querySelector('#clip canvas').toDataURL()") == before


def test_the_first_tab_leads_past_the_navigation(page: Any) -> None:
    press(page, "TAB")
    assert page.switch_to.active_element.text == "Skip to the tables"
    assert page.execute_script("return document.activeElement.getBoundingClientRect().left") >= 0  # seen while it has the focus
    assert page.execute_script("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    press(page, "ENTER", "TAB")
    assert page.execute_script("return document.getElementById('main').contains(document.activeElement)")


def test_everything_that_takes_the_focus_has_a_name(page: Any) -> None:
    to_clips(page)
    nameless = page.execute_script("""
return [...document.querySelectorAll("a, button, select, input, summary, [tabindex]")].filter((node) => {
  if (node.closest("[hidden]")) return false;
  const label = node.labels && node.labels.length ? node.labels[0].textContent : "";
  return !(label || node.textContent || node.getAttribute("aria-label") || "").trim();
}).map((node) => node.outerHTML.slice(0, 80))""")
    assert nameless == []


def test_the_list_is_sorted_and_filtered(page: Any) -> None:
    names = to_clips(page)
    orders = page.execute_script("return [...document.getElementById('f-sort').options].map((o) => o.textContent)")
    assert orders[0] == "where geometry and language models disagree most"
    gaps = page.execute_script(
        "return [...document.querySelectorAll('#clip-list tbody tr')].map((r) => parseFloat(r.cells[2].textContent))"
    )
    known = [gap for gap in gaps if gap is not None]
    assert known == sorted(known, reverse=True)
    assert gaps == [*known, None, None]  # of one clip geometry said nothing, of another the language models
    choose(page, "f-sort", str(orders.index("name")))
    assert listed(page) == sorted(names, key=str.lower)
    choose(page, "f-sort", str(orders.index("most failures")))
    assert set(listed(page)[:2]) == {"failed", "turns"}
    choose(page, "f-status", "failed")
    assert set(listed(page)) == {"failed", "turns"}
    choose(page, "f-status", "")
    choose(page, "f-subset", "0")
    assert set(listed(page)) == {"still", ODD}
    assert page.execute_script("return document.getElementById('count').textContent") == "2 of 5 clips"


def test_tables_sort_by_their_heads(page: Any) -> None:
    column = """return [...document.querySelectorAll("#leaderboard table")][0].tBodies[0]"""
    head = "document.querySelectorAll('#leaderboard th button')[2]"
    page.execute_script(f"{head}.click()")
    falling = page.execute_script(
        f"{column}; ".replace("return", "const body =") + "return [...body.rows].map((r) => +r.cells[2].dataset.value)"
    )
    assert falling == sorted(falling, reverse=True)
    page.execute_script(f"{head}.click()")
    rising = page.execute_script(
        f"{column}; ".replace("return", "const body =") + "return [...body.rows].map((r) => +r.cells[2].dataset.value)"
    )
    assert rising == sorted(falling)
    assert page.execute_script(f"return {head}.parentNode.ariaSort") == "ascending"


def test_the_failure_policy_is_chosen(page: Any) -> None:
    shown = "return [...document.querySelectorAll('#heat-all, #heat-answered')].filter((n) => !n.hidden).map((n) => n.id)"
    assert page.execute_script(shown) == ["heat-all"]
    page.execute_script("document.querySelector('input[value=answered]').click()")
    assert page.execute_script(shown) == ["heat-answered"]


@pytest.fixture
def colours() -> Callable[[Any], tuple[str, str]]:
    return lambda driver: tuple(driver.execute_script("const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"))


def test_dark_follows_the_system_and_the_button(driver: Any, written: ReportFolder, colours: Callable[[Any], tuple[str, str]]) -> None:
    headless.open_page(driver, written.page)
    light = colours(driver)
    headless.open_page(driver, written.page, dark=True)
    dark = colours(driver)
    assert dark[0] != light[0]
    assert dark[1] != light[1]
    button = "document.getElementById('theme')"
    driver.execute_script(f"{button}.click()")
    assert driver.execute_script(f"return {button}.textContent") == "Colours: light"
    assert colours(driver) == light
    driver.execute_script(f"{button}.click(); {button}.click()")
    assert colours(driver) == dark


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_stands_out_from_its_ground(driver: Any, written: ReportFolder, dark: bool) -> None:
    """Every cell of the heat map, the lightest and the deepest, has the contrast that WCAG asks of text: 4.5 to 1."""
    headless.open_page(driver, written.page, dark=dark)
    worst = driver.execute_script("""
const pixel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const rgb = (colour) => {
  pixel.fillStyle = colour;
  pixel.fillRect(0, 0, 1, 1);
  return [...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3);
};
const linear = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
const light = (colour) => { const [r, g, b] = rgb(colour).map(linear); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
return Math.min(...[...document.querySelectorAll("td.shade")].map((cell) => {
  const style = getComputedStyle(cell);
  const [a, b] = [light(style.color), light(style.backgroundColor)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}));""")
    assert worst >= 4.5


def test_a_narrow_window_does_not_scroll_sideways(driver: Any, written: ReportFolder) -> None:
    headless.open_page(driver, written.page, width=400, height=800)
    to_clips(driver)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 400


def test_a_clip_has_an_address(driver: Any, written: ReportFolder) -> None:
    headless.open_page(driver, written.page, fragment="#clip=turns")
    until(driver, "document.getElementById('clip-name')?.textContent === 'turns'")


def test_a_torn_off_page_says_what_is_missing(driver: Any, written: ReportFolder, tmp_path: Path) -> None:
    alone = tmp_path / "index.html"
    alone.write_bytes(written.page.read_bytes())
    (tmp_path / "assets").symlink_to(written.root / "assets")
    headless.open_page(driver, alone)
    driver.execute_script("document.getElementById('clips').scrollIntoView({ behavior: 'instant' })")
    until(driver, "document.getElementById('count').textContent.includes('keep the whole folder of the report together')")
    driver.get_log("browser")
