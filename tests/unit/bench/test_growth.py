"""`elcrec bench --scale`: generated data, exponents, limits, and what one GPU can hold."""

import json

import pytest

from elcrec.bench import growth, plot, text
from elcrec.bench.growth import Earlier, grow
from elcrec.bench.side import ProcessError
from elcrec.bench.subject import Generated, Job
from elcrec.errors import InputError


def points(sizes, values):
    return [{"size": size, "step": value} for size, value in zip(sizes, values, strict=True)]


def test_exponents_of_known_laws():
    sizes = [10, 100, 1000, 5000]
    found = growth.power_law(points(sizes, [3 * s**1.5 for s in sizes]), "step")
    assert found == {"exponent": pytest.approx(1.5), "r2": pytest.approx(1), "points": 4}
    assert growth.power_law(points(sizes, [2.0] * 4), "step") == {
        "exponent": pytest.approx(0),
        "r2": 1,
        "points": 4,
    }
    noisy = growth.power_law(points([1, 2, 4, 8], [1, 3, 2, 9]), "step")
    assert 0 < noisy["r2"] < 1
    assert growth.power_law(points([1, 2], [1, 2]), "step") is None
    assert growth.power_law(points(sizes, [0.0, 1, 2, 3]), "step") is None


def test_points_are_extrapolated():
    assert growth.extrapolate(points([], []), "step", 10) == 0
    assert growth.extrapolate(points([1], [5]), "step", 10) == 5
    assert growth.extrapolate(points([1, 10], [5, 50]), "step", 100) == pytest.approx(500)
    assert growth.extrapolate(points([1, 10], [5, 4]), "step", 100) == 4  # never downwards


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
        raise ProcessError("elcrec: was killed, perhaps for want of memory")
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


def test_growth_has_points_fits_and_reasons(grown):
    users, items = grown["factors"]["users"], grown["factors"]["items"]
    assert users["fits"]["evaluation"]["exponent"] == pytest.approx(1)
    assert users["fits"]["step"]["exponent"] == pytest.approx(0)
    assert users["fits"]["epoch"]["exponent"] == pytest.approx(1)
    assert [p["size"] for p in users["points"]] == list(growth.FACTORS["users"])
    # 10 s are more than the 5 s that the other factors leave
    assert "of its share are left" in users["points"][-1]["not_run"]
    lengths = grown["factors"]["max_length"]["fits"]
    assert lengths["step"]["exponent"] == pytest.approx(1)
    killed = next(p for p in grown["factors"]["intents"]["points"] if p["size"] == 1024)
    assert killed["not_run"] == "elcrec: was killed, perhaps for want of memory"
    assert grown["base"]["users"] == 10_000
    assert items["fits"]["evaluation"]["r2"] == pytest.approx(1)
    json.dumps(grown)


def test_a_later_call_measures_only_what_is_missing(grown, tmp_path):
    path = tmp_path / "scale.json"
    path.write_text(json.dumps({"kind": "scale", **grown}))
    asked = []

    def measure(job, seconds):
        asked.append((job.generated.users, job.generated.items, job.overrides))
        return fake_point(job, seconds)

    found = grow(Job("beauty", "elcrec"), 60, measure, earlier=Earlier(path))
    # the base, and what was not run
    assert asked == [
        (10_000, 10_000, {}),
        (10_000, 10_000, {"intents": 1024}),
        (10_000_000, 10_000, {}),
    ]
    points = found["factors"]["users"]["points"]
    assert [p.get("earlier", False) for p in points] == [*[True] * 6, False]
    assert "not_run" not in points[-1]
    assert found["factors"]["users"]["fits"]["evaluation"]["points"] == growth.FITTED


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "models"}, "kind is 'models'; allowed: 'scale'"),
        ({"same": {"model": "elcrec", "fingerprint": "e"}}, "measured with another settings"),
        ({"factors": {"users": {"points": [{"size": 5}]}}}, "points.0.step' is missing"),
    ],
)
def test_a_record_that_does_not_compare_is_refused(grown, tmp_path, change, message):
    path = tmp_path / "scale.json"
    path.write_text(json.dumps({"kind": "scale", **grown, **change}))
    with pytest.raises(InputError, match=message):
        grow(Job("beauty", "elcrec"), measure=fake_point, earlier=Earlier(path))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("fingerprint", "e", "another fingerprint"),
        ("threads", 1, r"another threads \('1', now '2'\)"),
        ("settings", {}, "another settings$"),
    ],
)
def test_a_record_of_something_else_is_refused(grown, tmp_path, key, value, message):
    path = tmp_path / "scale.json"
    path.write_text(json.dumps({"kind": "scale", **grown, "same": grown["same"] | {key: value}}))
    with pytest.raises(InputError, match=message):
        grow(Job("beauty", "elcrec"), measure=fake_point, earlier=Earlier(path))


def test_points_beyond_the_memory_are_not_run():
    def measure(job, seconds):
        return fake_point(job, seconds, memory_available=3e9 / growth.MEMORY_USED)

    found = grow(Job("beauty", "elcrec"), 60, measure)
    last = found["factors"]["items"]["points"][-1]
    # 1.1 GB for a million and 3.1 GB for three let 9.6 GB be expected
    assert last["not_run"] == "needs about 9.0 GiB of memory, 2.8 GiB are given"


def test_a_model_without_intents_has_no_such_factor():
    found = grow(Job("beauty", "sasrec"), measure=fake_point)
    assert "intents" not in found["factors"]
    assert "max_length" in found["factors"]


def test_growth_is_printed_and_drawn(grown, tmp_path):
    printed = text.scale(grown)
    assert "exponent" in printed
    assert "s of its share are left" in printed
    path = tmp_path / "scale.png"
    plot.draw(grown, path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_point_is_measured_in_a_process_of_its_own():
    job = Job("beauty", "elcrec", overrides={"batch_size": 16, "intents": 8}, device="cpu")
    point = growth.measure_point(job.changed(Generated(users=60, items=40)), seconds=120)
    assert point["memory_bytes"] > 0
    assert point["epoch"] > point["step"] > 0
    assert point["about"]["users"] == 60
