"""Time and memory, on allocations and waits of known size."""

import subprocess
import sys
import time

import pytest
import torch

from elcrec.usage import Stopwatch, device_name, peak_memory, ran_out, reserve, reset_peak_memory

CPU = torch.device("cpu")


def test_the_resident_peak_grows_by_an_allocation_of_known_size():
    # In a process of its own: the peak of this one may be anywhere.
    code = (
        "import torch; from elcrec.usage import peak_memory; c = torch.device('cpu')\n"
        "a = peak_memory(c)['resident_bytes']; x = torch.ones(200_000_000, dtype=torch.uint8)\n"
        "print(peak_memory(c)['resident_bytes'] - a)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    grown = int(done.stdout)
    assert grown == pytest.approx(200e6, rel=0.15)


@pytest.mark.gpu
def test_the_gpu_peak_is_that_of_an_allocation_of_known_size():
    device = torch.device("cuda", 0)
    reset_peak_memory(device)
    before = peak_memory(device)["cuda_allocated_bytes"]
    torch.ones(64 * 2**20, dtype=torch.uint8, device=device)
    after = peak_memory(device)
    assert after["cuda_allocated_bytes"] - before == 64 * 2**20
    assert after["cuda_reserved_bytes"] >= after["cuda_allocated_bytes"]


def test_no_gpu_memory_is_reported_on_the_cpu():
    memory = peak_memory(CPU)
    assert memory["cuda_allocated_bytes"] is None
    assert memory["cuda_reserved_bytes"] is None


def test_the_stopwatch_adds_up_by_phase_and_survives_errors():
    watch = Stopwatch(CPU)
    for _ in range(2):
        with watch("training"):
            time.sleep(0.02)
    with pytest.raises(ValueError, match="x"), watch("validation"):
        raise ValueError("x")
    assert 0.04 <= watch.seconds["training"] < 1.0
    assert set(watch.seconds) == {"training", "validation"}


def test_the_device_is_named_with_its_threads():
    assert device_name(CPU).startswith("cpu: ")
    assert f"({torch.get_num_threads()} threads)" in device_name(CPU)


def test_more_memory_than_there_can_be_is_refused_before_it_is_taken():
    reserve(10**9, "this")
    words = r"this needs 1,000,000 GB, but [\d,]+ GB are free"
    with pytest.raises(MemoryError, match=words) as caught:
        reserve(10**15, "this")
    assert ran_out(caught.value)
