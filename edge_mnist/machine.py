"""What this machine is, and what else goes on on it."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

# The first of these that /proc/cpuinfo has: x86's name, then a Raspberry Pi's board, where the
# kernel tells no name of the processor.
CPU_FIELDS = ("model name", "Model", "Hardware")
FEATURE_FIELDS = ("flags", "Features")  # x86, Arm
# Those that decide which kernels run: vector extensions and dot products.
TOLD_FEATURES = ("sse", "ssse", "avx", "fma", "vnni", "amx", "neon", "asimd", "sve", "i8mm", "vfp")

FREQUENCY_FOLDER = Path("/sys/devices/system/cpu/cpu0/cpufreq")
# Linux tells boards' names here; computers without a device tree have none.
DEVICE_FILE = Path("/proc/device-tree/model")

# vcgencmd get_throttled, Raspberry Pi documentation, "Raspberry Pi OS: vcgencmd".
THROTTLED_BITS = {
    0: "under-voltage",
    1: "frequency capped",
    2: "throttled",
    3: "soft temperature limit",
    16: "under-voltage since the start",
    17: "frequency capped since the start",
    18: "throttled since the start",
    19: "soft temperature limit since the start",
}
VCGENCMD_TIMEOUT_S = 2.0  # it hangs where the firmware does not answer


@dataclass(frozen=True)
class Machine:
    """What does not change between two runs."""

    device: str  # the board's name, or "" where the system tells none
    cpu: str
    cpu_features: list[str]  # of those that matter to kernels, what the processor has
    cores: int
    memory_bytes: int  # 0 where the system does not tell
    system: str
    architecture: str
    python: str


@dataclass(frozen=True)
class Conditions:
    """What does, and sways what is measured; None where the system does not tell."""

    load_average: float | None  # over the last minute
    frequency_mhz: float | None  # of the first core, now
    governor: str | None
    throttling: list[str] | None  # what holds or held a Raspberry Pi back; [] is nothing


def describe() -> Machine:
    """Return what this machine is."""
    told = _read_cpuinfo()
    features = next((told[field] for field in FEATURE_FIELDS if field in told), "")
    return Machine(
        device=_read_text(DEVICE_FILE) or "",
        cpu=read_cpu_model(),
        cpu_features=[x for x in features.split() if any(name in x for name in TOLD_FEATURES)],
        cores=os.cpu_count() or 1,
        memory_bytes=_memory_bytes(),
        system=f"{platform.system()} {platform.release()}",
        architecture=platform.machine(),
        python=platform.python_version(),
    )


def observe() -> Conditions:
    """Return what goes on on this machine now."""
    # The kernel answers "<unknown>" where it does not know.
    frequency_khz = _read_text(FREQUENCY_FOLDER / "scaling_cur_freq") or ""
    return Conditions(
        load_average=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        frequency_mhz=int(frequency_khz) / 1000 if frequency_khz.isdigit() else None,
        governor=_read_text(FREQUENCY_FOLDER / "scaling_governor"),
        throttling=_read_throttling(),
    )


def describe_machine() -> str:
    """Return the machine in words: processor, cores, system, Python."""
    return (
        f"{read_cpu_model()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}"
    )


def read_cpu_model() -> str:
    """Return the processor's name as the system tells it, or at least its architecture."""
    told = _read_cpuinfo()
    named = (told[field] for field in CPU_FIELDS if told.get(field))
    return next(named, platform.processor() or platform.machine())


def _read_cpuinfo() -> dict[str, str]:
    """Return what /proc/cpuinfo says of the first core, and of the board."""
    lines = [line.partition(":") for line in (_read_text(Path("/proc/cpuinfo")) or "").splitlines()]
    return {name.strip(): value.strip() for name, _, value in reversed(lines)}


def _read_throttling() -> list[str] | None:
    import shutil  # these two cost every start 5 ms, and only a benchmark asks for this
    import subprocess

    if shutil.which("vcgencmd") is None:
        return None
    try:
        process = subprocess.run(
            ["vcgencmd", "get_throttled"],
            capture_output=True,
            text=True,
            check=False,
            timeout=VCGENCMD_TIMEOUT_S,
        )
        bits = int(process.stdout.strip().partition("=")[2], 16)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    return [meaning for bit, meaning in THROTTLED_BITS.items() if bits >> bit & 1]


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _read_text(path: Path) -> str | None:
    try:
        return path.read_text().strip().strip("\0")
    except (OSError, ValueError):
        return None
