"""Make the pictures of explain.md, compare.md, report.md, and inspect.md's output in docs/.

`make docs-images` runs it. The commands themselves make them: those of explain.md of a digit that
is drawn here, those of compare.md and report.md of a network that is trained on MNIST for a minute;
report.md's is taken in Chromium.
"""

import base64
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from edge_mnist.bench.drawn_digits import draw_digit, enlarge

DOCS = Path(__file__).parent.parent / "docs"
MODEL, DIGIT, LAYER = "micro", 4, "conv_2d_1"
PICTURES = {
    f"{MODEL}-filters-{LAYER}.png": "explain-filters.png",
    f"{DIGIT}-activations.png": "explain-activations.png",
    f"{DIGIT}-gradcam.png": "explain-gradcam.png",
    f"{DIGIT}-occlusion.png": "explain-occlusion.png",
}
RECIPE, COMPARED = "tutorial-4x4", "layers.png"
REPORT_WIDTH = 1100  # pixels
NO_BROWSER = "needs a browser: apt-get install --no-install-recommends chromium chromium-driver"
# What is between these lines of docs/inspect.md is the command's.
START, END = "```text\n", "```\n"


def main() -> None:
    """Run the commands and put what they make into docs/."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        picture = folder / f"{DIGIT}.png"
        cv2.imwrite(str(picture), enlarge(draw_digit(DIGIT, np.random.default_rng(0))))
        run("explain", MODEL, str(picture), "--out", str(folder))
        for made, kept in PICTURES.items():
            shutil.copyfile(folder / made, DOCS / kept)
        trained = str(folder / "run")
        run("train", "--recipe", RECIPE, "--epochs", "2", "--out", trained)
        run("quantize", trained, "--int8")
        run("compare", trained, f"{trained}/{RECIPE}.tflite", "--out", str(folder))
        shutil.copyfile(folder / COMPARED, DOCS / f"compare-{COMPARED}")
        run("report", trained, "--out", str(folder / "report.html"))
        photograph(folder / "report.html", DOCS / "report.png")
    page = DOCS / "inspect.md"
    before, _, rest = page.read_text().partition(START)
    _, _, after = rest.partition(END)
    page.write_text(before + START + run("inspect", MODEL) + END + after)


def photograph(report: Path, picture: Path) -> None:
    """Take a picture of the top of a report, down to the charts of how often it is right."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or sys.exit(NO_BROWSER)
    driver = shutil.which("chromedriver") or sys.exit(NO_BROWSER)
    for option in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(option)
    browser = webdriver.Chrome(options=options, service=Service(driver))
    try:
        size = {"width": REPORT_WIDTH, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(report.as_uri())
        end = browser.execute_script(
            "return document.querySelectorAll('#model-1-accuracy .pair')[1]"
            ".getBoundingClientRect().top"
        )
        clip = {"x": 0, "y": 0, "width": REPORT_WIDTH, "height": end, "scale": 1}
        taken = browser.execute_cdp_cmd(
            "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
        )
        pixels = np.frombuffer(base64.b64decode(taken["data"]), np.uint8)
        # Again, for a browser hardly compresses.
        cv2.imwrite(str(picture), cv2.imdecode(pixels, 1), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    finally:
        browser.quit()


def run(*arguments: str) -> str:
    """Run a command, and return what it printed."""
    command = [sys.executable, "-m", "edge_mnist", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    main()
