import os
import platform

import pytest

from edge_mnist import machine

PI_CPUINFO = """processor\t: 0
BogoMIPS\t: 38.40
Features\t: fp asimd evtstrm crc32 cpuid
CPU part\t: 0xd03

processor\t: 1
Features\t: fp

Hardware\t: BCM2835
Model\t\t: Raspberry Pi 3 Model B Plus Rev 1.3
"""
X86_CPUINFO = """processor\t: 0
model name\t: Some CPU @ 3.00GHz
flags\t\t: fpu sse2 avx2 avx512_vnni syscall

processor\t: 1
model name\t: Another
"""


@pytest.fixture
def files(monkeypatch):
    """Texts by path that stand in for the system's."""
    texts = {}
    monkeypatch.setattr(machine, "_read_text", lambda path: texts.get(str(path)))
    return texts


def test_this_machine_is_told():
    told = machine.describe()
    assert (told.cores, told.architecture) == (os.cpu_count(), platform.machine())
    assert told.cpu == machine.read_cpu_model() != ""
    assert told.python == platform.python_version()


def test_raspberry_pi_is_told_by_its_board(files):
    files["/proc/cpuinfo"] = PI_CPUINFO
    files["/proc/device-tree/model"] = "Raspberry Pi 3 Model B Plus Rev 1.3"
    told = machine.describe()
    assert told.device == told.cpu == "Raspberry Pi 3 Model B Plus Rev 1.3"
    assert told.cpu_features == ["asimd"]


def test_first_core_counts(files):
    files["/proc/cpuinfo"] = X86_CPUINFO
    told = machine.describe()
    assert (told.device, told.cpu) == ("", "Some CPU @ 3.00GHz")
    assert told.cpu_features == ["sse2", "avx2", "avx512_vnni"]


def test_system_that_tells_nothing_has_an_architecture_at_least(files):
    assert machine.read_cpu_model() == (platform.processor() or platform.machine())
    seen = machine.observe()
    assert (seen.frequency_mhz, seen.governor) == (None, None)


def test_frequency_and_governor_are_told(files):
    folder = machine.FREQUENCY_FOLDER
    files[f"{folder}/scaling_cur_freq"] = "1400000"
    files[f"{folder}/scaling_governor"] = "ondemand"
    seen = machine.observe()
    assert (seen.frequency_mhz, seen.governor) == (1400.0, "ondemand")


def test_frequency_that_the_kernel_does_not_know_is_not_told(files):
    files[f"{machine.FREQUENCY_FOLDER}/scaling_cur_freq"] = "<unknown>"
    assert machine.observe().frequency_mhz is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("throttled=0x0", []),
        ("throttled=0x50005", ["under-voltage", "throttled", "under-voltage since the start"]),
        ("VCHI initialization failed", None),
    ],
)
def test_throttling_of_a_raspberry_pi_is_told(answer, expected, tmp_path, monkeypatch):
    command = tmp_path / "vcgencmd"
    command.write_text(f'#!/bin/sh\n[ "$1" = get_throttled ] && echo "{answer}"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = machine.observe().throttling
    if expected:
        assert found == [*expected, "throttled since the start"]
    else:
        assert found == expected


@pytest.mark.parametrize("program", ["#!/bin/sh\nexec sleep 60\n", "no program"])
def test_command_that_hangs_or_cannot_be_run_tells_no_throttling(program, tmp_path, monkeypatch):
    command = tmp_path / "vcgencmd"
    command.write_text(program)
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(machine, "VCGENCMD_TIMEOUT_S", 0.1)
    assert machine.observe().throttling is None


def test_machine_that_is_no_raspberry_pi_tells_no_throttling(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert machine.observe().throttling is None
