"""A page in a real, headless Chromium: what it drew, what it complained of, when it first painted. For tests and for report_scale.py."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DRIVER = "chromedriver"
TIME_LIMIT_S = 60
# no sandbox: root, as in a container, may not use it; the pages are our own
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")


def missing() -> str:
    """Return what is lacking for a headless browser, in words; empty where nothing is."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "selenium is not installed (extra dev)"
    if _browser() is None:
        return f"there is no browser ({' or '.join(BROWSERS)}); on Debian: apt-get install chromium chromium-driver"
    return "" if shutil.which(DRIVER) else f"there is no {DRIVER}; on Debian: apt-get install chromium-driver"


def _browser() -> str | None:
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@contextmanager
def chromium(width: int = 1400, height: int = 1000) -> Iterator[Any]:
    """Yield a selenium driver of a headless Chromium that keeps the page's complaints."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = _browser() or ""
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        f"--window-size={width},{height}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which(DRIVER)))
    try:
        driver.set_page_load_timeout(TIME_LIMIT_S)
        yield driver
    finally:
        driver.quit()


def open_page(driver: Any, page: Path, *, fragment: str = "", dark: bool = False, width: int = 1400, height: int = 1000) -> None:
    """Open a page from disk as somebody with these colours and this window sees it."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    colours = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [colours]})
    driver.get("about:blank")
    driver.get(page.resolve().as_uri() + fragment)


def complaints(driver: Any) -> list[str]:
    """Return what the page logged as an error or a warning since it was last asked."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def first_paint_s(driver: Any) -> float:
    """Return when the page first showed content, in seconds since it was asked for (the Performance API's first-contentful-paint)."""
    script = """
const done = arguments[0];
const known = performance.getEntriesByName("first-contentful-paint")[0];
if (known) done(known.startTime);
else new PerformanceObserver((list) => {
  const entry = list.getEntriesByName("first-contentful-paint")[0];
  if (entry) done(entry.startTime);
}).observe({ type: "paint", buffered: true });
"""
    driver.set_script_timeout(TIME_LIMIT_S)
    return float(driver.execute_async_script(script)) / 1000
