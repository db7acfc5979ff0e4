"""Read corrupted pictures and videos in this process (test_fuzz_media.py).

Usage: python fuzz_media.py SEED COUNT FOLDER
"""

import json
import sys
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from fuzz_models import corrupt

from edge_mnist.errors import EdgeMnistError
from edge_mnist.vision.image_file import IMAGE_SUFFIXES
from edge_mnist.vision.sources import open_source
from edge_mnist.vision.video_file import VIDEO_SUFFIXES

# How each kind of video is made, and how many of its frames are read.
CODECS = {".avi": "MJPG", ".mp4": "mp4v", ".mkv": "mp4v", ".webm": "VP80", ".mpg": "mpg1"}
N_FRAMES = 8

RANDOM_SHARE = 0.15


def make_originals(folder: Path) -> tuple[list[bytes], list[bytes]]:
    """Return an undamaged file of each kind of picture, and of each kind of video."""
    picture = np.random.default_rng(7).integers(0, 256, (48, 64, 3), np.uint8)
    transparent = np.dstack([picture, picture[..., 0]])
    deep = picture.astype(np.uint16) << 8
    kinds = [(suffix, picture) for suffix in (".png", ".jpg", ".bmp", ".tiff", ".webp", ".ppm")]
    kinds += [(".pgm", picture[..., 0]), (".png", transparent), (".webp", transparent)]
    kinds += [(".png", deep), (".tiff", deep)]
    pictures = [cv2.imencode(suffix, pixels)[1].tobytes() for suffix, pixels in kinds]
    videos = []
    for suffix, codec in CODECS.items():
        path = folder / f"original{suffix}"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 25, (64, 48))
        for shift in range(N_FRAMES):
            writer.write(np.roll(picture, shift, axis=1))
        writer.release()
        videos.append(path.read_bytes())
    return pictures, videos


def main(seed: str, count: str, folder: str) -> None:
    """Read COUNT files behind every suffix in turn; print how many were read and how many not."""
    rng = np.random.default_rng(int(seed))
    pictures, videos = make_originals(Path(folder))
    kinds = [(x, pictures) for x in sorted(IMAGE_SUFFIXES)]
    kinds += [(x, videos) for x in sorted(VIDEO_SUFFIXES)]
    outcomes = {"refused": 0, "read": 0}
    for number in range(int(count)):
        suffix, originals = kinds[number % len(kinds)]
        if rng.random() < RANDOM_SHARE:
            content = rng.bytes(int(rng.integers(1, 5000)))
        else:
            # What is inside need not be what the suffix says.
            content = corrupt(originals[rng.integers(len(originals))], rng)
        path = Path(folder) / f"damaged-{seed}{suffix}"
        path.write_bytes(content)
        # Unbuffered, so that the last line names the file that crashed this process.
        print(f"file {number}", file=sys.stderr, flush=True)
        try:
            for frame in islice(open_source(str(path)), N_FRAMES):
                if frame.picture.dtype != np.uint8 or frame.picture.shape[2:] != (3,):
                    raise AssertionError(frame.picture.shape)
        except EdgeMnistError as exc:
            if str(path) not in str(exc):
                raise
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
        path.unlink()
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(*sys.argv[1:])
