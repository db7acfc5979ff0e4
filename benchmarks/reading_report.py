"""The tables of the reading benchmark."""

from collections.abc import Sequence
from statistics import median

from reading_score import FAILURES, RIGHT, ClipScore, SceneScore
from report import render_markdown_table, write_report

STABLE_WITHIN = 10  # frames
EASY = (0, 1)  # degrees of difficulty
DOUBTS = (0.9, 0.95, 0.99)  # confidences below which one may look at a number again


def write_results(
    command: str, scenes: Sequence[SceneScore], clips: Sequence[ClipScore], *, publish: bool
) -> None:
    """Print the results and, if they are to be published, keep them in results/reading.md."""
    parts = []
    if scenes:
        parts += [render_by_difficulty(scenes), render_failures(scenes), render_doubts(scenes)]
    if clips:
        parts.append(render_clips(clips))
    parts.insert(0, render_aims(scenes, clips))
    body = "\n\n".join(parts)
    if publish:
        write_report("reading", "Reading handwritten numbers", command, body)
    else:
        print(body)


def render_aims(scenes: Sequence[SceneScore], clips: Sequence[ClipScore]) -> str:
    """Return what was aimed at and what was reached."""
    rows = []
    easy = [share_right([s for s in scenes if s.difficulty == degree]) for degree in EASY]
    easy = [share for share in easy if share is not None]
    overall = share_right(scenes)
    if overall is not None:
        if easy:
            rows.append(("digits right, the worse of the two easy degrees", min(easy), 0.99))
        rows.append(("digits right, over all", overall, 0.95))
        rows.append(("whole numbers right, over all", share_numbers(scenes), 0.9))
    lines = [
        [name, f"≥ {100 * aim:.0f} %", f"{100 * share:.2f} %", judge(share >= aim)]
        for name, share, aim in rows
    ]
    if scenes:
        false = sum(len(scene.false_digits) for scene in scenes)
        per_20 = 20 * false / len(scenes)
        lines.append(["false digits in 20 scenes", "≤ 1", f"{per_20:.2f}", judge(per_20 <= 1)])
    if clips:
        for name, count in (
            (
                f"clips with every number stable within {STABLE_WITHIN} frames",
                sum(is_stable_soon(clip) for clip in clips),
            ),
            ("clips without a wrong stable number", sum(not clip.wrong for clip in clips)),
        ):
            share = count / len(clips)
            lines.append([name, "≥ 95 %", f"{100 * share:.2f} %", judge(share >= 0.95)])
    return render_markdown_table(["", "aim", "measured", ""], lines)


def render_by_difficulty(scenes: Sequence[SceneScore]) -> str:
    """Return a row for each degree of difficulty, and one for all."""
    groups = {
        str(degree): [scene for scene in scenes if scene.difficulty == degree]
        for degree in sorted({scene.difficulty for scene in scenes})
    }
    groups["all"] = list(scenes)
    rows = [
        [
            name,
            str(len(group)),
            f"{sum(len(scene.outcomes) for scene in group):,}",
            f"{100 * (share_right(group) or 0):.2f} %",
            f"{100 * share_numbers(group):.1f} %",
            f"{100 * share_numbers(group, as_one=True):.1f} %",
            f"{sum(scene.is_perfect for scene in group)}",
            f"{20 * sum(len(scene.false_digits) for scene in group) / len(group):.2f}",
        ]
        for name, group in groups.items()
    ]
    header = [
        "difficulty", "scenes", "digits", "digits right", "numbers right",
        "and kept together", "scenes without a fault", "false digits in 20 scenes",
    ]  # fmt: skip
    return render_markdown_table(header, rows)


def render_failures(scenes: Sequence[SceneScore]) -> str:
    """Return how many digits failed in which way, by difficulty."""
    rows = []
    for degree in sorted({scene.difficulty for scene in scenes}):
        group = [scene for scene in scenes if scene.difficulty == degree]
        outcomes = [outcome for scene in group for outcome in scene.outcomes]
        false = sum(len(scene.false_digits) for scene in group)
        rows.append([str(degree), *(str(outcomes.count(kind)) for kind in FAILURES), str(false)])
    return render_markdown_table(["difficulty", *FAILURES, "false"], rows)


def render_doubts(scenes: Sequence[SceneScore]) -> str:
    """Return how many numbers, of the wrong and the right, were told with doubt; and of the rest.

    The rest is what nobody would look at again.
    """
    numbers = [n for scene in scenes for n in scene.numbers if n.confidence is not None]
    rows = []
    for limit in DOUBTS:
        row = [f"{100 * limit:.0f} %"]
        for is_right in (False, True):
            doubted = [n.confidence < limit for n in numbers if n.is_right == is_right]
            share = 100 * sum(doubted) / max(len(doubted), 1)
            row.append(f"{share:.1f} % ({sum(doubted)} of {len(doubted):,})")
        rest = [n.is_right for n in numbers if n.confidence >= limit]
        row.append(f"{100 * sum(rest) / max(len(rest), 1):.2f} % ({sum(rest):,} of {len(rest):,})")
        rows.append(row)
    header = [
        "numbers told with less than", "of those read wrong", "of those read right",
        "right of those told with more",
    ]  # fmt: skip
    return render_markdown_table(header, rows)


def render_clips(clips: Sequence[ClipScore]) -> str:
    """Return how long numbers took to become stable, and what was wrong."""
    frames = [count for clip in clips for count in clip.frames_to_stable]
    reached = [count for count in frames if count is not None]
    rows = [
        ["clips", str(len(clips))],
        ["numbers", str(len(frames))],
        ["numbers that became stable and right", str(len(reached))],
        [
            f"of them within {STABLE_WITHIN} frames",
            str(sum(count <= STABLE_WITHIN for count in reached)),
        ],
        ["frames until then, median", f"{median(reached):g}" if reached else "-"],
        ["wrong stable numbers", str(sum(len(clip.wrong) for clip in clips))],
    ]
    return render_markdown_table(["clips of a hand-held camera", ""], rows)


def share_right(scenes: Sequence[SceneScore]) -> float | None:
    """Return the share of digits that were read right; None if there are no digits."""
    outcomes = [outcome for scene in scenes for outcome in scene.outcomes]
    return outcomes.count(RIGHT) / len(outcomes) if outcomes else None


def share_numbers(scenes: Sequence[SceneScore], *, as_one: bool = False) -> float:
    """Return the share of numbers that were read right, and `as_one` number if that counts."""
    numbers = [number for scene in scenes for number in scene.numbers]
    right = sum(number.is_right and (number.is_one or not as_one) for number in numbers)
    return right / max(len(numbers), 1)


def is_stable_soon(clip: ClipScore) -> bool:
    """Return whether every number of a clip became stable in time."""
    return all(count is not None and count <= STABLE_WITHIN for count in clip.frames_to_stable)


def judge(is_reached: bool) -> str:
    """Return the word for it."""
    return "reached" if is_reached else "**missed**"
