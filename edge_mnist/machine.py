"""What this machine is."""

import platform
from pathlib import Path

# The first of these that /proc/cpuinfo has: x86's name, then a Raspberry Pi's board, where the
# kernel tells no name of the processor.
CPU_FIELDS = ("model name", "Model", "Hardware")


def read_cpu_model() -> str:
    """Return the processor's name as the system tells it, or at least its architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line.partition(":") for line in cpuinfo.read_text().splitlines()]
        told = {name.strip(): value.strip() for name, _, value in reversed(lines)}
        for field in CPU_FIELDS:
            if told.get(field):
                return told[field]
    return platform.processor() or platform.machine()
