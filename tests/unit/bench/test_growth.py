"""`elcrec bench --scale`: generated data, exponents, limits, and what one GPU can hold."""

import json

import pytest

from elcrec.bench import growth, plot, text
from elcrec.bench.growth import grow
from elcrec.bench.side import ProcessError
from elcrec.bench.subject import Generated, Job
from elcrec.errors import InputError


def points(sizes, values):
    return [{"size": size, "step": value} for size, value in zip(sizes, values, strict=True)]


def test_exponents_of_known_laws():
    sizes = [10, 100, 1000, 5000]
    found = growth.exponent(points(sizes, [3 * s**1.5 for s in sizes]), "step")
    assert found == pytest.approx(1.5)
    assert growth.exponent(points(sizes, [2.0] * 4), "step") == pytest.approx(0)
    bent = points([1, *sizes], [7.0, *(3 * s**1.5 for s in sizes)])  # the smallest does not count
    assert growth.exponent(bent, "step") == pytest.approx(1.5)
    assert growth.exponent(points([1, 2], [1, 2]), "step") is None
    assert growth.exponent(points(sizes, [1, 0.0, 2, 3]), "step") is None


def test_points_are_extrapolated():
    assert growth.extrapolate(points([], []), "step", 10) == 0
    assert growth.extrapolate(points([1], [5]), "step", 10) == 5
    assert growth.extrapolate(points([1, 10], [5, 50]), "step", 100) == pytest.approx(500)
    assert growth.extrapolate(points([1, 10], [5, 4]), "step", 100) == 4  # never downwards
    assert growth.extrapolate(points([1, 10], [-1, 4]), "step", 100) == 4  # memory can shrink


ABOUT = {
    "name": "ELCRec",
    "model": "elcrec",
    "settings": {"parameters": {"intents": 256}},
    "kernels": "plain",
    "fingerprint": "f" * 16,
    "torch_device": "cpu",
    "memory_available": 20e9,
    "environment": {
        "device": "cpu: test",
        "commit": "0" * 40,
        "dirty": False,
        "versions": {"torch": "2"},
        "host_load": 0.5,
        "threads": 2,
    },
}


def fake_point(job, seconds, memory_available=20e9):
    """Time of an evaluation grows with users times items, all else with neither."""
    data, p = job.generated, job.overrides
    if p.get("intents") == 1024:
        raise ProcessError("elcrec: was killed, perhaps out of memory")
    length = p.get("max_length", 50)
    return {
        "step": 1e-3 * length,
        "epoch": 1e-6 * data.users * length,
        "evaluation": 1e-9 * data.users * data.items,
        "memory_bytes": 1e8 + 1e3 * data.items,
        "wall_seconds": 1e-6 * data.users,
        "about": {**ABOUT, "memory_available": memory_available},
    }


@pytest.fixture
def grown():
    return grow(Job("beauty", "elcrec"), seconds=5.0, measure=fake_point)


def points_of(grown, factor):
    return [point for point in grown["points"] if point["factor"] == factor]


def test_growth_has_points_exponents_and_reasons(grown):
    users, items = grown["exponents"]["users"], grown["exponents"]["items"]
    assert users["evaluation"] == pytest.approx(1)
    assert users["step"] == pytest.approx(0)
    assert users["epoch"] == pytest.approx(1)
    of_users = points_of(grown, "users")
    assert [p["size"] for p in of_users] == list(growth.FACTORS["users"])
    # 10 s are more than the 5 s that there are
    assert of_users[-1]["not_run"] == "needs about 10 s, 5 s are left"
    assert grown["exponents"]["max_length"]["step"] == pytest.approx(1)
    killed = next(p for p in points_of(grown, "intents") if p["size"] == 1024)
    assert killed["not_run"] == "elcrec: was killed, perhaps out of memory"
    assert grown["base"]["users"] == 10_000
    assert items["evaluation"] == pytest.approx(1)
    json.dumps(grown)


def test_cheap_points_of_all_factors_come_first():
    told = []
    grow(Job("beauty", "elcrec"), 60, fake_point, told.append)
    sizes = {line.split(":")[0]: place for place, line in enumerate(told)}
    order = ["base", "intents 64", "max_length 25", "items 10,000", "intents 512", "users 30,000"]
    order += ["max_length 200", "intents 2,048", "items 100,000", "users 10,000,000"]
    assert sorted(order, key=sizes.get) == order


@pytest.fixture
def record(grown, tmp_path):
    """A function: the file of a record in which something was changed."""
    path = tmp_path / "scale.json"

    def write(**changes):
        path.write_text(json.dumps({"kind": "scale", **grown, **changes}))
        return path

    return write


def test_a_later_call_measures_only_what_is_missing(record):
    measured = []

    def measure(job, seconds):
        measured.append((job.generated.users, job.generated.items, job.overrides))
        return fake_point(job, seconds)

    found = grow(Job("beauty", "elcrec"), 60, measure, earlier=record())
    # the base, and what was not run
    assert measured == [
        (10_000, 10_000, {}),
        (10_000, 10_000, {"intents": 1024}),
        (10_000_000, 10_000, {}),
    ]
    assert "not_run" not in points_of(found, "users")[-1]
    assert found["exponents"]["users"]["evaluation"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "models"}, "kind: must be 'scale', got 'models'"),
        ({"same": {"model": "elcrec", "fingerprint": "e"}}, "conditions; settings: nothing then"),
        ({"points": [{"size": 5, "factor": "users"}]}, r"points\[0\]: the key 'step' is missing"),
    ],
)
def test_a_record_that_does_not_compare_is_refused(record, change, message):
    with pytest.raises(InputError, match=message):
        grow(Job("beauty", "elcrec"), measure=fake_point, earlier=record(**change))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("fingerprint", "e", "fingerprint: 'e' then, "),
        ("threads", 1, "threads: 1 then, 2 now"),
        ("settings", {}, r"settings: \{\} then, "),
    ],
)
def test_a_record_of_something_else_is_refused(record, grown, key, value, message):
    path = record(same=grown["same"] | {key: value})
    with pytest.raises(InputError, match=message):
        grow(Job("beauty", "elcrec"), measure=fake_point, earlier=path)


def test_points_beyond_the_memory_are_not_run():
    def measure(job, seconds):
        return fake_point(job, seconds, memory_available=3e9 / growth.MEMORY_USED)

    found = grow(Job("beauty", "elcrec"), 60, measure)
    last = points_of(found, "items")[-1]
    # 1.1 GB for a million and 3.1 GB for three let 9.6 GB be expected
    assert last["not_run"] == "needs about 9.0 GiB of memory, 2.8 GiB are allowed"


def test_a_model_without_intents_has_no_such_factor():
    found = grow(Job("beauty", "sasrec"), measure=fake_point)
    assert "intents" not in found["exponents"]
    assert "max_length" in found["exponents"]


def test_growth_is_printed_and_drawn(grown, tmp_path):
    printed = text.scale(grown)
    assert "exponent" in printed
    assert "- users 10,000,000: not run: needs about 10 s, 5 s are left\n" in printed
    path = tmp_path / "scale.png"
    plot.draw(grown, path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_point_is_measured_in_a_process_of_its_own():
    job = Job("beauty", "elcrec", overrides={"batch_size": 16, "intents": 8}, device="cpu")
    point = growth.measure_point(job.changed(Generated(users=60, items=40)), seconds=120)
    assert point["memory_bytes"] > 0
    assert point["epoch"] > point["step"] > 0
    assert point["about"]["users"] == 60
