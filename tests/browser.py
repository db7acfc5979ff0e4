"""A browser without a window, to look at pages with."""

import base64
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
    "--disable-dev-shm-usage",
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
def open_browser():
    """Start Chromium with an empty profile; skip where it or its driver is not installed."""
    pytest.importorskip("selenium", reason="needs selenium: pip install selenium")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    found = shutil.which("chromium"), shutil.which("chromedriver")
    if not all(found):
        pytest.skip(f"needs Chromium and its driver: {INSTALL}")
    options = webdriver.ChromeOptions()
    options.binary_location, driver = found
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for option in (*OPTIONS, f"--user-data-dir={profile}"):
            options.add_argument(option)
        browser = webdriver.Chrome(options=options, service=Service(driver))
        try:
            yield browser
        finally:
            browser.quit()


def look(browser, path, width, scheme="light"):
    """Open a file in a window of a width, light or dark.

    Returns:
        The window's width in pixels, that of its content, and the elements that stick out.
    """
    # A window of Chromium is never narrower than 500 pixels: what it shows can be.
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get(path.resolve().as_uri())
    inner, content = browser.execute_script(
        "return [innerWidth, document.documentElement.scrollWidth]"
    )
    return inner, content, browser.execute_script(FIND_OVERFLOW)


def save_screenshot(browser, path):
    """Write a PNG of the whole page, as far as a picture can be high."""
    width, height = browser.execute_script(
        "return [innerWidth, document.documentElement.scrollHeight]"
    )
    clip = {"x": 0, "y": 0, "width": width, "height": min(height, 16_000), "scale": 1}
    taken = browser.execute_cdp_cmd(
        "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.b64decode(taken["data"]))
