import pytest

cv2 = pytest.importorskip("cv2")

from edge_mnist.vision.build import describe_opencv  # noqa: E402 - needs cv2


@pytest.mark.parametrize(
    ("report", "toolkit"),
    [
        ("  GUI:                           NONE\n", ""),
        ("  GUI:                           QT5\n    QT: YES\n", "QT5"),
        ("  GUI: \n    GTK+:                        YES\n", "GTK"),
        ("  no such line\n", ""),
    ],
)
def test_tells_the_version_and_the_toolkit(monkeypatch, report, toolkit):
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: report)
    assert describe_opencv() == (cv2.__version__, toolkit)
