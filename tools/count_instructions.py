"""Count the instructions of one inference on an emulated Arm processor: a latency without noise.

Usage: python tools/count_instructions.py MODEL [MODEL...] [--json]

Each model runs in the official tflite-runtime wheel for aarch64, under QEMU's Cortex-A53 (that of
the Raspberry Pi 3 and Zero 2 W). Two runs give the same counts. Instructions are not cycles: they
rank networks of one kind, and tell nothing of caches, memory or how many run at once.

Needs Debian and `apt-get install -y --no-install-recommends qemu-user gcc libc6-dev`. The first
call lays out Debian's Python for aarch64 and the wheels in the user's cache folder (32 MB to
download, 10 s); nothing is installed and root is not needed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median_low

import platformdirs

from edge_mnist.errors import EdgeMnistError, MissingDependencyError, ModelError
from edge_mnist.model_store import find_model

CAVEAT = "instructions, not cycles: they rank networks, they are no time"

QEMU = "qemu-aarch64"
COMPILER = "gcc"
DEBIAN_PACKAGES = {QEMU: "qemu-user", COMPILER: "gcc libc6-dev"}
# Always with a processor: QEMU's default, `max`, has extensions that QEMU 7.2 emulates wrongly.
PROCESSOR = "cortex-a53"
PLUGIN_SOURCE = Path(__file__).parent / "instruction_count.c"

# The last Debian with the last Python that tflite-runtime has wheels for.
DEBIAN = "bookworm"
DEBIAN_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
ARCHITECTURE = "arm64"
SYSTEM_PACKAGES = ("python3.11-minimal", "libpython3.11-stdlib", "libstdc++6")
PYTHON_VERSION = "3.11"
WHEELS = ("tflite-runtime==2.14.0", "numpy==1.26.4")
WHEEL_PLATFORMS = ("manylinux_2_34_aarch64", "manylinux2014_aarch64")

# getppid on aarch64 (Linux, include/uapi/asm-generic/unistd.h): nothing else calls it.
MARK = 173
IMAGES = 5
# The first inferences pack weights and fill caches of the kernels.
WARM_UP_RUNS = 2

# What runs on the emulated processor, in a folder with the models: 000000.tflite and so on. Each
# has a process and a name of the same length, so that what was counted before it moves its count
# by some hundredths of a percent at most.
EMULATED_PROGRAM = f"""
import gc, os, sys
import numpy as np
from tflite_runtime.interpreter import Interpreter

# Strokes: the kernels' work hardly depends on the picture.
rng = np.random.default_rng(0)
images = np.zeros(({IMAGES}, 28, 28), np.uint8)
for image in images:
    for row, column in rng.integers(5, 20, (4, 2)):
        for step in range(8):
            image[row + step * (column % 2), column + step * (row % 2)] = 255

def run(name):
    interpreter = Interpreter(name, num_threads=1)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]
    # The public method checks for references to tensors first, which no C++ program does.
    invoke, mark = interpreter._interpreter.Invoke, os.getppid
    for index in [0] * {WARM_UP_RUNS} + list(range({IMAGES})):
        codes = images[index].reshape(source["shape"]).astype(source["dtype"])
        interpreter.set_tensor(source["index"], codes)
        mark()
        invoke()
        mark()

gc.disable()
for number in range(int(sys.argv[1])):
    child = os.fork()
    if not child:
        try:
            run(f"{{number:06}}.tflite")
        except Exception as exc:
            sys.exit(str(exc).splitlines()[0])
        sys.exit()
    _, status = os.wait()
    if status:
        sys.exit(os.waitstatus_to_exitcode(status) % 256)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the counts of the models named; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0], epilog=CAVEAT)
    parser.add_argument(
        "models", metavar="MODEL", nargs="+", help="a shipped model's name or a path"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    try:
        counts = count_instructions([find_model(model) for model in options.models])
    except EdgeMnistError as exc:
        print(f"count_instructions: {exc}", file=sys.stderr)
        return 1
    named = list(zip(options.models, counts, strict=True))
    print(format_json(named) if options.json else format_table(named))
    return 0


def count_instructions(paths: Sequence[Path]) -> list[int]:
    """Count the instructions of one inference of each model, all in one emulated start.

    Args:
        paths: .tflite files with one input of 784 values.

    Returns:
        For each path in turn, the median over several images, on one thread.

    Raises:
        MissingDependencyError: If QEMU or a compiler is missing, or the set-up fails.
        ModelError: If one of the models does not run.
    """
    for command in (QEMU, COMPILER):
        require(command)
    if not paths:
        return []
    system = set_up_system()
    with tempfile.TemporaryDirectory() as folder:
        plugin, marks = Path(folder) / "instruction_count.so", Path(folder) / "marks"
        run_step(
            [COMPILER, "-O2", "-shared", "-fPIC", "-o", plugin, PLUGIN_SOURCE],
            "cannot compile the instruction counter",
        )
        for number, path in enumerate(paths):
            (Path(folder) / f"{number:06}.tflite").symlink_to(path.resolve())
        process = subprocess.run(
            [
                *build_command(system, ["-plugin", f"{plugin},mark={MARK},out={marks}"]),
                *("-c", EMULATED_PROGRAM, str(len(paths))),
            ],
            cwd=folder,
            env=build_environment(system),
            capture_output=True,
            text=True,
            check=False,
        )
        totals = [int(line) for line in marks.read_text().split()] if marks.is_file() else []
    if process.returncode:
        counted = min(len(totals) // (2 * (WARM_UP_RUNS + IMAGES)), len(paths) - 1)
        raise ModelError(
            f"{paths[counted]} does not run on the emulated processor",
            got=describe_failure(process),
        )
    return interpret_marks(totals, len(paths))


def interpret_marks(totals: Sequence[int], models: int) -> list[int]:
    """Return each model's count from the totals at all its marks, two for each inference.

    Raises:
        ModelError: If there are not as many marks as there should be.
    """
    runs = WARM_UP_RUNS + IMAGES
    if len(totals) != 2 * runs * models:
        raise ModelError(
            "the emulated processor stopped early",
            expected=f"{2 * runs * models} marks",
            got=str(len(totals)),
        )
    counts = [after - before for before, after in zip(totals[::2], totals[1::2], strict=True)]
    return [
        median_low(counts[start + WARM_UP_RUNS : start + runs])
        for start in range(0, len(counts), runs)
    ]


def format_table(named: Sequence[tuple[str, int]]) -> str:
    """Return the counts as a table for people, each with its ratio to the first."""
    width = max(len("model"), *(len(name) for name, _ in named))
    lines = [f"{'model':{width}}  {'instructions':>12}  {'ratio':>6}"]
    lines += [f"{name:{width}}  {count:>12,}  {count / named[0][1]:>6.3f}" for name, count in named]
    return "\n".join([*lines, "", f"{PROCESSOR}, tflite-runtime, one inference; {CAVEAT}"])


def format_json(named: Sequence[tuple[str, int]]) -> str:
    """Return the counts as JSON."""
    models = [
        {"model": name, "instructions": count, "ratio": round(count / named[0][1], 4)}
        for name, count in named
    ]
    facts = {"processor": PROCESSOR, "engine": WHEELS[0], "note": CAVEAT, "models": models}
    return json.dumps(facts, indent=2)


def set_up_system() -> Path:
    """Return the folder of the aarch64 system, laid out whole or not at all.

    Raises:
        MissingDependencyError: If a step of it fails.
    """
    system = (
        platformdirs.user_cache_path("edge-mnist", appauthor=False) / "emulation" / "aarch64"
    ).absolute()
    if system.is_dir():
        return system
    for command in ("apt-get", "dpkg"):
        require(command)
    print(f"laying out an aarch64 system in {system} (32 MB to download)", file=sys.stderr)
    system.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=system.parent, prefix=".aarch64.") as folder:
        draft = Path(folder) / "aarch64"
        extract_packages(Path(folder) / "apt", draft / "root")
        extract_wheels(Path(folder) / "wheels", draft / "site")
        # A first start also leaves the compiled bytecode that every later one reads.
        run_step(
            [*build_command(draft, []), "-c", "import tflite_runtime.interpreter"],
            "the aarch64 system does not run",
            env=build_environment(draft),
        )
        try:
            draft.rename(system)
        except OSError:
            # Another process was faster; its system is the same.
            if not system.is_dir():
                raise
    return system


def extract_packages(state: Path, root: Path) -> None:
    """Fetch Debian's Python for aarch64 with an apt-get of our own state, and extract it."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True)
    (state / "status").touch()
    (state / "sources.list").write_text(describe_source(list_debian_targets()))
    settings = {
        "APT::Architecture": ARCHITECTURE,
        "APT::Architectures": ARCHITECTURE,
        "APT::Install-Recommends": "false",
        # Root's apt-get would turn into a user who cannot write to a private folder.
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "true",
        "Dir::Cache": state / "cache",
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
    }
    options = [f"-o{name}={value}" for name, value in settings.items()]
    what = "cannot fetch Debian's Python for aarch64"
    run_step(["apt-get", *options, "-qq", "update"], what)
    run_step(["apt-get", *options, "-qqy", "--download-only", "install", *SYSTEM_PACKAGES], what)
    root.mkdir(parents=True)
    for package in sorted((state / "cache" / "archives").glob("*.deb")):
        run_step(["dpkg", "-x", package, root], f"cannot extract {package.name}")


def list_debian_targets() -> str:
    """Return what this machine's apt-get reads packages from: component and address a line."""
    form = "$(COMPONENT) $(REPO_URI)"
    return run_step(
        ["apt-get", "indextargets", "--format", form, "Created-By: Packages"],
        "cannot read the apt sources",
    )


def describe_source(targets: str) -> str:
    """Return the line of a sources.list for Debian's packages, from the machine's own mirror.

    Args:
        targets: As `list_debian_targets` gives them.

    Raises:
        MissingDependencyError: If this machine has no Debian mirror.
    """
    for target in targets.splitlines():
        component, _, address = target.partition(" ")
        if component == "main" and address.rstrip("/").endswith("/debian"):
            return f"deb [signed-by={DEBIAN_KEYS}] {address} {DEBIAN} main\n"
    raise MissingDependencyError(
        "cannot fetch Debian's Python for aarch64",
        expected="a Debian mirror among the apt sources",
        got="none",
        remedy="count on a machine with Debian",
    )


def extract_wheels(downloads: Path, site: Path) -> None:
    """Fetch the wheels for aarch64 and extract them."""
    platforms = [option for name in WHEEL_PLATFORMS for option in ("--platform", name)]
    run_step(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--only-binary=:all:", "--python-version", PYTHON_VERSION, *platforms),
            *("--dest", downloads, *WHEELS),
        ],
        "cannot fetch the wheels for aarch64",
    )
    for wheel in downloads.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)


def build_command(system: Path, options: Sequence[str]) -> list[str]:
    """Return the start of a command that runs the emulated Python."""
    root = system / "root"
    python = root / "usr" / "bin" / f"python{PYTHON_VERSION}"
    # The caller's folder stays out of the paths that are searched for modules.
    return [QEMU, "-cpu", PROCESSOR, "-L", str(root), *options, str(python), "-P"]


def build_environment(system: Path) -> dict[str, str]:
    """Return all the variables of the emulated Python: nothing of the caller's may sway it."""
    return {
        "PYTHONPATH": str(system / "site"),
        "PYTHONHASHSEED": "0",
        "OPENBLAS_NUM_THREADS": "1",
        "LC_ALL": "C.UTF-8",
    }


def require(command: str) -> None:
    """Raise MissingDependencyError if a command is not installed."""
    if shutil.which(command) is None:
        package = DEBIAN_PACKAGES.get(command)
        raise MissingDependencyError(
            f"counting instructions needs {command}, which is not installed",
            remedy=f"apt-get install -y --no-install-recommends {package}"
            if package
            else "count on a machine with Debian",
        )


def run_step(command: Sequence[str | Path], what: str, env: Mapping[str, str] | None = None) -> str:
    """Run one step of the set-up and return its output; `what` says what failed."""
    process = subprocess.run(
        command, env=env or os.environ, capture_output=True, text=True, check=False
    )
    if process.returncode:
        raise MissingDependencyError(what, got=describe_failure(process))
    return process.stdout


def describe_failure(process: "subprocess.CompletedProcess[str]") -> str:
    """Return the last line that a process wrote, or how it ended."""
    lines = process.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit code {process.returncode}"


if __name__ == "__main__":
    sys.exit(main())
