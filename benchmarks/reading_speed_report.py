"""The report on what reading a frame costs: tables and a picture."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from reading_report import judge
from report import RESULTS, describe_machine, render_markdown_table, write_report

# Digits up to which they are few.
FEW = 20
# What one more digit costs may differ by so much among few and among many: that is noise.
TOLERANCE = 1.15
COLORS = ("#2b6cb0", "#7fb0e0", "#f0b070", "#c05050", "#50a050", "#bbbbbb")


@dataclass(frozen=True)
class Case:
    """What reading one kind of frame costs.

    Attributes:
        name: What the frames are.
        digits: How many are written in each, in the mean.
        read: How many are read.
        p50_ms: The median time of reading a frame.
        p90_ms: What nine of ten take at most.
        mean_ms: The mean over the frames of the median time of each: the median over all leaves out
            what digits that touch cost if they do so in less than half of the frames.
        stages_ms: The mean time of each stage, in runs of their own.
    """

    name: str
    digits: float
    read: float
    p50_ms: float
    p90_ms: float
    mean_ms: float
    stages_ms: dict[str, float]

    @property
    def classification_share(self) -> float:
        """The share of the model in all, 0 to 1."""
        return self.stages_ms["model"] / sum(self.stages_ms.values())


def write_results(
    conditions: str, plain: Sequence[Case], series: Sequence[Case], scenes: Sequence[Case]
) -> None:
    """Print the report, and keep it and its picture in results/.

    Args:
        conditions: How it was measured.
        plain: Eight digits at 640x480 and at 1280x720, and none, on plain paper.
        series: Ever more digits.
        scenes: By difficulty.
    """
    few, many = fit_growth(series, 0, FEW), fit_growth(series, FEW, math.inf)
    whole = fit_growth(series, 0, math.inf)
    write_report(
        "reading_speed",
        "What reading a frame costs",
        "python benchmarks/reading_speed.py",
        f"One thread; {conditions}. "
        "Frames are in color; capture and drawing are not part of it.\n\n"
        + render_aims(plain, few, many)
        + "\n\nThe stages are means of runs of their own, in ms. *Ink* tells ink from paper; "
        "*segments* takes rules away and finds the digits and their lines; *crops* makes them the "
        "model's input; *cuts* tries to part what may be digits that touch.\n\n"
        + render_cases("eight digits on plain paper, and none", plain)
        + f"\n\nWith more digits of one size in a frame of 640x480, each costs {whole:.3f} ms: "
        f"{few:.3f} ms up to {FEW} digits, {many:.3f} ms from there on. All cases show the same "
        "digits, a few in each of many frames or many in each of a few, and take turns. *Mean* is "
        "over the frames, of the median of each: in most frames of few digits none touch, and the "
        "median over all leaves out what those that do cost.\n\n"
        + render_cases("digits", series)
        + "\n\n![Time by stage against the number of digits](reading_speed.png)\n\n"
        "Generated scenes (tools/make_scenes.py) of 640x480, and pages of their printed text "
        "alone:\n\n" + render_cases("scenes", scenes),
    )
    draw(series)


def render_aims(plain: Sequence[Case], few: float, many: float) -> str:
    """Return a table of what was aimed at and what was reached."""
    vga, hd, empty = plain
    share = vga.classification_share
    idle = empty.stages_ms["model"]
    rows = [
        [f"{vga.name}, p50", "≤ 4 ms", f"{vga.p50_ms:.2f} ms", judge(vga.p50_ms <= 4)],
        [f"{hd.name}, p50", "≤ 10 ms", f"{hd.p50_ms:.2f} ms", judge(hd.p50_ms <= 10)],
        ["the model's share", "< 20 %", f"{100 * share:.1f} %", judge(share < 0.2)],
        [
            "one more digit among many, against one among few",
            f"≤ 1 (noise: {TOLERANCE})",
            f"{many / few:.2f}",
            judge(many <= TOLERANCE * few),
        ],
        ["classification of an empty frame", "none", f"{idle:.2f} ms", judge(idle == 0)],
    ]
    return render_markdown_table(["aim", "wanted", "measured", ""], rows)


def render_cases(title: str, cases: Sequence[Case]) -> str:
    """Return a table of cases by stage."""
    header = [
        title,
        "written",
        "read",
        "p50, ms",
        "p90, ms",
        "mean, ms",
        *cases[0].stages_ms,
        "model's share",
    ]
    rows = [
        [
            case.name,
            f"{case.digits:.1f}",
            f"{case.read:.1f}",
            f"{case.p50_ms:.2f}",
            f"{case.p90_ms:.2f}",
            f"{case.mean_ms:.2f}",
            *(f"{ms:.2f}" for ms in case.stages_ms.values()),
            f"{100 * case.classification_share:.1f} %",
        ]
        for case in cases
    ]
    return render_markdown_table(header, rows)


def draw(series: Sequence[Case]) -> None:
    """Draw the time of each stage against the number of digits."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    amounts = [case.digits for case in series]
    stages = {name: [case.stages_ms[name] for case in series] for name in series[0].stages_ms}
    axes.stackplot(amounts, list(stages.values()), labels=list(stages), colors=COLORS)
    axes.plot(amounts, [case.mean_ms for case in series], "o-", color="black", label="mean")
    axes.set_xlabel("digits in a frame of 640x480")
    axes.set_ylabel("ms")
    axes.set_xlim(0, amounts[-1])
    axes.set_ylim(0)
    axes.set_title(f"Reading a frame on one thread\n{describe_machine()}", fontsize=9)
    axes.legend(loc="upper left", fontsize=8)
    figure.savefig(RESULTS / "reading_speed.png", dpi=120)


def fit_growth(series: Sequence[Case], least: float, most: float) -> float:
    """Return what one more digit costs, in ms: the slope of the line fitted to means of cases."""
    cases = [case for case in series if least <= case.digits <= most]
    slope, _ = np.polyfit([c.digits for c in cases], [c.mean_ms for c in cases], 1)
    return float(slope)
