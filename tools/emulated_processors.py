"""The Arm processors that QEMU emulates, and what runs tflite-runtime on their architectures."""

from dataclasses import dataclass

ENGINE_WHEEL = "tflite-runtime==2.14.0"

# The last Debian with the last Python that tflite-runtime has wheels for.
DEBIAN_RELEASE = "bookworm"
PYTHON_VERSION = "3.11"


@dataclass(frozen=True)
class Architecture:
    """What differs between 64-bit and 32-bit Arm."""

    name: str  # as wheels call it
    qemu: str  # the command
    debian: str  # as Debian calls it
    packages: tuple[str, ...]  # of Debian: Python and what the wheels need
    wheels: tuple[str, ...]
    wheel_platforms: tuple[str, ...]
    mark: int  # the number of the system call getppid, which nothing else calls
    # Links that the packages' installation would make; from within the system's root.
    links: tuple[tuple[str, str], ...] = ()


# Numbers of system calls: Linux, include/uapi/asm-generic/unistd.h and arch/arm/tools/syscall.tbl.
AARCH64 = Architecture(
    name="aarch64",
    qemu="qemu-aarch64",
    debian="arm64",
    packages=("python3.11-minimal", "libpython3.11-stdlib", "libstdc++6"),
    wheels=(ENGINE_WHEEL, "numpy==1.26.4"),
    wheel_platforms=("manylinux_2_34_aarch64", "manylinux2014_aarch64"),
    mark=173,
)
ARMV7 = Architecture(
    name="armv7l",
    qemu="qemu-arm",
    debian="armhf",
    # PyPI has no NumPy for 32-bit Arm.
    packages=("python3.11-minimal", "libpython3.11-stdlib", "libstdc++6", "python3-numpy"),
    wheels=(ENGINE_WHEEL,),
    wheel_platforms=("manylinux_2_34_armv7l",),
    mark=64,
    links=tuple(
        (f"usr/lib/arm-linux-gnueabihf/lib{name}.so.3", f"{name}/lib{name}.so.3")
        for name in ("blas", "lapack")
    ),
)


@dataclass(frozen=True)
class Processor:
    """One that QEMU emulates."""

    name: str  # as QEMU's -cpu calls it
    architecture: Architecture
    devices: str  # that have it


# Always one by name: QEMU's default, `max`, has extensions that QEMU 7.2 emulates wrongly.
PROCESSORS = {
    processor.name: processor
    for processor in (
        Processor("cortex-a53", AARCH64, "Raspberry Pi 3 and Zero 2 W"),
        Processor("cortex-a72", AARCH64, "Raspberry Pi 4"),
        Processor("cortex-a76", AARCH64, "Raspberry Pi 5"),
        Processor("cortex-a7", ARMV7, "Raspberry Pi 2"),
    )
}
DEFAULT_PROCESSOR = PROCESSORS["cortex-a53"]
