"""What the installed OpenCV can do."""

import re

import cv2


def describe_opencv() -> tuple[str, str]:
    """Return OpenCV's version, and the toolkit that it opens windows with: empty if none."""
    # The headless packages print "GUI: NONE", the others the toolkit on the same or next line.
    found = re.search(r"GUI:\s*(\w+)", cv2.getBuildInformation())
    toolkit = found.group(1) if found else ""
    return str(cv2.__version__), "" if toolkit == "NONE" else toolkit
