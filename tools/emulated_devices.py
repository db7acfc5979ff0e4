"""The page on devices, docs/devices.md, from benchmarks/reference: instructions, arena, estimates.

The estimates are bounds: a core that issues at most W instructions a cycle cannot take less time
than instructions / (W x clock). How much more it takes is an assumption, and is named so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulated_processors import PROCESSORS

from edge_mnist.markdown import render_markdown_table

PAGE = Path(__file__).parent.parent / "docs" / "devices.md"

# Instructions a core can issue in a cycle, and where that is written.
ISSUE_WIDTHS = {
    "cortex-a53": (2, "Arm Cortex-A53 MPCore Technical Reference Manual: in order, dual issue"),
    "cortex-a72": (3, "Arm Cortex-A72 Software Optimization Guide: three decoded in a cycle"),
    "cortex-a76": (4, "Arm Cortex-A76 Software Optimization Guide: four decoded in a cycle"),
}
# Of the issue width, what is assumed to be kept at worst, from the caches that all of these models
# fit in.
LEAST_SHARE = 0.2


@dataclass(frozen=True)
class Device:
    """A board, as its maker describes it (raspberrypi.com, documentation on its processors)."""

    name: str
    processor: str
    clocks_ghz: tuple[float, float]  # the slowest and the quickest board of the name


DEVICES = (
    Device("Raspberry Pi Zero 2 W", "cortex-a53", (1.0, 1.0)),
    Device("Raspberry Pi 3", "cortex-a53", (1.2, 1.4)),
    Device("Raspberry Pi 4", "cortex-a72", (1.5, 1.8)),
    Device("Raspberry Pi 5", "cortex-a76", (2.4, 2.4)),
)


def estimate_latency_us(instructions: int, device: Device) -> tuple[float, float]:
    """Return the least and the most time that an inference is estimated to take, in µs."""
    width, _ = ISSUE_WIDTHS[device.processor]
    slowest, quickest = device.clocks_ghz
    cycles = instructions / width
    return cycles / (quickest * 1000), cycles / (LEAST_SHARE * slowest * 1000)


def render_page(instructions: Mapping[str, Any], arena: Mapping[str, Any]) -> str:
    """Return docs/devices.md.

    Args:
        instructions: The content of instructions.json.
        arena: The content of arena.json.
    """
    trained, untrained = instructions["models"], instructions["untrained"]
    qemu = " and ".join(sorted(set(instructions["qemu"].values())))
    change = instructions["largest_change_by_seed"]
    by_seed = f"change a count by {100 * change:.2g} % at most" if change else "change no count"
    parts = [
        "# What a model takes on a device",
        "Written by `python tools/emulate.py reference`, without any of these devices: Arm "
        "processors are emulated, TensorFlow Lite Micro is built for this machine. How to run it: "
        "[develop.md](develop.md#devices-without-the-device).",
        "## The same outputs",
        "The official wheel of tflite-runtime gives the same outputs to the bit on x86-64 and on "
        f"each of {', '.join(PROCESSORS)}, for all shipped models on all 10,000 test images of "
        "MNIST; so does TensorFlow Lite Micro with the reference kernels of TensorFlow Lite. The "
        "accuracies in [models.md](models.md) are those on a device, therefore. A test says so.",
        "## Instructions of one inference",
        render_instructions({**trained, **untrained}),
        f"{instructions['engine'].replace('==', ' ')}, one thread, QEMU {qemu}. "
        f"{instructions['note'][0].upper()}{instructions['note'][1:]}. The ratio is on a "
        "cortex-a53, to `tutorial-3x3`. The tutorial networks have untrained weights; those of "
        f"another seed {by_seed}. This wheel executes nearly the same on all 64-bit processors: "
        "int8 inference makes no use of the cortex-a76's dot-product instructions. A test holds "
        f"these counts to ±{100 * instructions['tolerance']:g} %.",
        "## Estimated latency",
        "**An estimate, not a measurement.** Nothing here was timed on such a board; "
        "`edge-mnist bench` does that.",
        render_estimates(trained),
        render_derivation(),
        "## TensorFlow Lite Micro: the tensor arena",
        render_arena(arena["models"]),
        f"{arena['engine']}, bytes. Tensors share their places one after the other; what persists "
        "describes the graph. This is a build with pointers of 64 bits: on a microcontroller of 32 "
        "bits the persistent part is smaller. The model's file stays in flash and comes on top, as "
        "do the library's code and the stack.",
    ]
    return "\n\n".join(parts) + "\n"


def render_instructions(models: Mapping[str, Any]) -> str:
    """Return the table of instructions by processor."""
    base = models["tutorial-3x3"]["instructions"]["cortex-a53"]
    rows = []
    for name, model in models.items():
        counts = model["instructions"]
        ratio = f"{counts['cortex-a53'] / base:.3f}"
        rows.append([f"`{name}`", *(f"{counts[processor]:,}" for processor in PROCESSORS), ratio])
    return render_markdown_table(["model", *PROCESSORS, "ratio"], rows)


def render_estimates(models: Mapping[str, Any]) -> str:
    """Return the table of estimated latencies."""
    header = ["µs, estimated", *(f"{device.name}, estimate" for device in DEVICES)]
    rows = [
        [f"`{name}`", *(describe_band(model["instructions"], device) for device in DEVICES)]
        for name, model in models.items()
    ]
    return render_markdown_table(header, rows)


def describe_band(counts: Mapping[str, int], device: Device) -> str:
    """Return an estimated latency in words, with no more digits than it deserves."""
    least, most = estimate_latency_us(counts[device.processor], device)
    return f"{round_to_two_digits(least)} to {round_to_two_digits(most)}"


def round_to_two_digits(number: float) -> str:
    """Return a positive number with two significant digits and no exponent: 1.2, 120, 1,200."""
    rounded = float(f"{number:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:.1f}"


def render_derivation() -> str:
    """Return how the estimates are made."""
    header = ["processor", "device", "clock, GHz", "instructions a cycle"]
    rows = []
    for device in DEVICES:
        width, source = ISSUE_WIDTHS[device.processor]
        clocks = " to ".join(f"{clock:g}" for clock in dict.fromkeys(device.clocks_ghz))
        share = f"{LEAST_SHARE * width:.1f} to {width}"
        rows.append([device.processor, device.name, clocks, f"{share} ({source})"])
    return (
        "The estimate is instructions / (instructions a cycle x clock). The quick end is a bound: "
        "the quickest board of that name, at its full clock, issuing in every cycle as many "
        "instructions as its core can. No program reaches that. The slow end is an "
        f"**assumption**: the slowest board at its full clock, at {LEAST_SHARE:g} of that width; a "
        "board that throttles, or shares its core with other work, is slower still. Clocks are "
        "from the maker's documentation of its "
        "[processors](https://www.raspberrypi.com/documentation/computers/processors.html); "
        "Python's part, copying in and out and preprocessing come on top.\n\n"
    ) + render_markdown_table(header, rows)


def render_arena(models: Mapping[str, Any]) -> str:
    """Return the table of the tensor arena's bytes."""
    columns: Sequence[str] = ("arena_bytes", "tensor_bytes", "persistent_bytes")
    rows = [
        [f"`{name}`", *(f"{model[column]:,}" for column in columns)]
        for name, model in models.items()
    ]
    return render_markdown_table(["model", "arena", "tensors", "persistent"], rows)
