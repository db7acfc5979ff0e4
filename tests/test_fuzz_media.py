import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cv2")

DRIVER = Path(__file__).parent / "fuzz_media.py"


@pytest.mark.parametrize("count", [130, pytest.param(1000, marks=pytest.mark.slow)])
def test_no_corrupted_picture_or_video_crashes_the_process_that_reads_it(tmp_path, count):
    worker = subprocess.run(
        [sys.executable, "-W", "error", DRIVER, str(count), str(count), tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert worker.returncode == 0, worker.stderr[-2000:]
    outcomes = json.loads(worker.stdout)
    assert outcomes["refused"] + outcomes["read"] == count
    assert min(outcomes.values()) > 0, outcomes
