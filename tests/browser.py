"""A browser without a window, to look at reports with."""

import contextlib
import shutil
import tempfile

import pytest

INSTALL = "apt-get install -y --no-install-recommends chromium chromium-driver"
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--hide-scrollbars",
)
# What stands out of the page to the right, but for what scrolls inside a box of its own.
FIND_OVERFLOW = """
const width = document.documentElement.clientWidth;
return [...document.body.querySelectorAll("*")]
  .filter(e => !e.parentElement.closest(".scroll, svg"))
  .filter(e => e.getBoundingClientRect().width && e.getBoundingClientRect().right > width + 0.5)
  .map(e => e.outerHTML.slice(0, 120));
"""


@contextlib.contextmanager
def open_browser(is_dark=False):
    """Start Chromium with an empty profile; skip where it or its driver is not installed."""
    selenium = pytest.importorskip("selenium", reason="needs selenium: pip install selenium")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    assert selenium
    found = shutil.which("chromium"), shutil.which("chromedriver")
    if not all(found):
        pytest.skip(f"needs Chromium and its driver: {INSTALL}")
    options = webdriver.ChromeOptions()
    options.binary_location, driver = found
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for option in (*OPTIONS, f"--user-data-dir={profile}"):
            options.add_argument(option)
        if is_dark:
            options.add_argument("--force-dark-mode")
        browser = webdriver.Chrome(options=options, service=Service(driver))
        try:
            yield browser
        finally:
            browser.quit()


def look(browser, path, width):
    """Open a file as wide a window; return how wide it is inside, and what stands out of it.

    Returns:
        Its width in pixels, that of its content, and the elements that stick out.
    """
    # A window of Chromium is never narrower than 500 pixels: what it shows can be.
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(path.resolve().as_uri())
    inner, content = browser.execute_script(
        "return [innerWidth, document.documentElement.scrollWidth]"
    )
    return inner, content, browser.execute_script(FIND_OVERFLOW)


def save_whole_page(browser, path):
    """Write a PNG of all of the page."""
    import base64

    taken = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
    path.write_bytes(base64.b64decode(taken["data"]))
