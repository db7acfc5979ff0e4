"""An Arm system in the user's cache folder: Debian's Python and the official tflite-runtime wheel.

It is laid out on first use by apt-get and pip with state of their own, whole or not at all: nothing
is installed and root is not needed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import platformdirs
from emulated_processors import (
    DEBIAN_RELEASE,
    ENGINE_WHEEL,
    PYTHON_VERSION,
    Architecture,
    Processor,
)

from edge_mnist.errors import MissingDependencyError

PROGRAMS = Path(__file__).parent / "emulated_programs"

COMPILER = "gcc"
DEBIAN_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
SET_UP_COMMANDS = ("apt-get", "dpkg")
PACKAGES = {"qemu-aarch64": "qemu-user", "qemu-arm": "qemu-user", COMPILER: "gcc libc6-dev"}
NOT_DEBIAN = "emulate on a machine with Debian"


def require(*commands: str) -> None:
    """Raise MissingDependencyError if a command is not installed."""
    for command in commands:
        if shutil.which(command) is None:
            package = PACKAGES.get(command)
            raise MissingDependencyError(
                f"emulation needs {command}, which is not installed",
                remedy=f"apt-get install -y --no-install-recommends {package}"
                if package
                else NOT_DEBIAN,
            )


def set_up_system(architecture: Architecture) -> Path:
    """Return the folder of an architecture's system, laid out whole or not at all.

    Raises:
        MissingDependencyError: If QEMU is missing, or a step of it fails.
    """
    require(architecture.qemu)
    cache = platformdirs.user_cache_path("edge-mnist", appauthor=False) / "emulation"
    system = (cache / f"{architecture.name}-{ENGINE_WHEEL.replace('==', '-')}").absolute()
    if system.is_dir():
        return system
    require(*SET_UP_COMMANDS)
    print(f"laying out {architecture.name} in {system} (about 32 MB to download)", file=sys.stderr)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=f".{architecture.name}.") as folder:
        draft = Path(folder) / "system"
        extract_packages(architecture, Path(folder) / "apt", draft / "root")
        extract_wheels(architecture, Path(folder) / "wheels", draft / "site")
        # A first start also leaves the compiled bytecode that every later one reads.
        run_step(
            [
                *(architecture.qemu, "-L", draft / "root", find_python(draft), "-P", "-S"),
                *("-c", "import tflite_runtime.interpreter"),
            ],
            f"the {architecture.name} system does not run",
            env=build_environment(draft),
        )
        try:
            draft.rename(system)
        except OSError:
            # Another process was faster; its system is the same.
            if not system.is_dir():
                raise
    return system


def build_command(processor: Processor, system: Path, options: Sequence[str] = ()) -> list[str]:
    """Return the start of a command that runs the emulated Python."""
    root = str(system / "root")
    # The caller's folder and this machine's own packages stay out of what is searched for modules.
    python = (str(find_python(system)), "-P", "-S")
    return [processor.architecture.qemu, "-cpu", processor.name, "-L", root, *options, *python]


def build_environment(system: Path) -> dict[str, str]:
    """Return all the variables of the emulated Python: nothing of the caller's may sway it."""
    packages = system / "root" / "usr" / "lib" / "python3" / "dist-packages"
    return {
        "PYTHONPATH": f"{system / 'site'}:{packages}",
        "PYTHONHASHSEED": "0",
        "OPENBLAS_NUM_THREADS": "1",
        "LC_ALL": "C.UTF-8",
    }


def read_qemu_version(architecture: Architecture) -> str:
    """Return the version of QEMU, as 7.2.22."""
    told = run_step([architecture.qemu, "--version"], f"{architecture.qemu} does not run")
    return told.partition("version ")[2].split()[0]


def find_python(system: Path) -> Path:
    """Return the emulated Python of a system."""
    return system / "root" / "usr" / "bin" / f"python{PYTHON_VERSION}"


def extract_packages(architecture: Architecture, state: Path, root: Path) -> None:
    """Fetch Debian's Python with an apt-get of our own state, and extract it."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True)
    (state / "status").touch()
    (state / "sources.list").write_text(describe_source(list_debian_targets()))
    settings = {
        "APT::Architecture": architecture.debian,
        "APT::Architectures": architecture.debian,
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
    what = f"cannot fetch Debian's Python for {architecture.name}"
    run_step(["apt-get", *options, "-qq", "update"], what)
    install = ("-qqy", "--download-only", "install", *architecture.packages)
    run_step(["apt-get", *options, *install], what)
    root.mkdir(parents=True)
    for package in sorted((state / "cache" / "archives").glob("*.deb")):
        run_step(["dpkg", "-x", package, root], f"cannot extract {package.name}")
    for link, target in architecture.links:
        (root / link).symlink_to(target)


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
            return f"deb [signed-by={DEBIAN_KEYS}] {address} {DEBIAN_RELEASE} main\n"
    raise MissingDependencyError(
        "cannot fetch Debian's Python for Arm",
        expected="a Debian mirror among the apt sources",
        got="none",
        remedy=NOT_DEBIAN,
    )


def extract_wheels(architecture: Architecture, downloads: Path, site: Path) -> None:
    """Fetch the wheels of an architecture and extract them."""
    platforms = [option for name in architecture.wheel_platforms for option in ("--platform", name)]
    run_step(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--only-binary=:all:", "--python-version", PYTHON_VERSION, *platforms),
            *("--dest", downloads, *architecture.wheels),
        ],
        f"cannot fetch the wheels for {architecture.name}",
    )
    for wheel in downloads.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)


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
