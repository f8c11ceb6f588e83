"""`elcrec bench --scale`: generated data, exponents, limits, and what one GPU can hold."""

import json

import numpy as np
import pytest
import torch

from elcrec.bench import capacity, growth, operators, plot, scale, text
from elcrec.bench.generate import SHORTEST, generate, shuffled
from elcrec.bench.growth import Earlier
from elcrec.bench.job import Generated, Job
from elcrec.bench.process import ProcessError
from elcrec.bench.subject import Subject
from elcrec.config.config import load_config
from elcrec.data.histories import InteractionData
from elcrec.errors import InputError
from elcrec.evaluation.ranking import Evaluator
from elcrec.evaluation.tiles import SCORE_MEMORY
from elcrec.runs.settings import resolve


def test_generated_histories_are_like_beautys():
    data = generate(20_000, 3_000, seed=3)
    lengths = data.lengths
    assert lengths.min() == SHORTEST
    assert np.median(lengths) == 6
    assert lengths.mean() == pytest.approx(8.9, abs=0.3)
    assert np.percentile(lengths, 99) == pytest.approx(43, abs=4)
    assert (data.items.min(), data.items.max()) == (1, 3_000)
    counts = np.sort(np.bincount(data.items)[1:])[::-1]
    ranks = np.arange(10, 1000)
    slope = np.polyfit(np.log(ranks), np.log(counts[ranks - 1]), 1)[0]
    assert slope == pytest.approx(-0.68, abs=0.05)


def test_generated_data_depend_on_the_seed_only():
    a, b, c = (generate(50, 30, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.items, b.items)
    assert len(a.items) != len(c.items) or (a.items != c.items).any()


@pytest.mark.parametrize(("users", "items"), [(1, 1), (1, 100_000), (300, 1)])
def test_any_size_can_be_generated(users, items):
    data = generate(users, items)
    assert InteractionData(data).n_items == items
    assert len(data.offsets) == users + 1


def test_shuffling_keeps_every_history():
    data = generate(40, 30)
    named = type(data)(data.items, data.offsets, tuple(f"u{i}" for i in range(40)))
    moved = shuffled(named, seed=1)
    before = dict(zip(named.users, np.split(named.items, named.offsets[1:-1]), strict=True))
    after = dict(zip(moved.users, np.split(moved.items, moved.offsets[1:-1]), strict=True))
    assert moved.users != named.users
    assert before.keys() == after.keys()
    assert all((before[user] == after[user]).all() for user in before)


def test_exponents_of_known_laws():
    sizes = [10, 100, 1000, 5000]
    found = growth.power_law(sizes, [3 * s**1.5 for s in sizes])
    assert found == {"exponent": pytest.approx(1.5), "r2": pytest.approx(1), "points": 4}
    assert growth.power_law(sizes, [2.0] * 4) == {
        "exponent": pytest.approx(0),
        "r2": 1,
        "points": 4,
    }
    noisy = growth.power_law([1, 2, 4, 8], [1, 3, 2, 9])
    assert 0 < noisy["r2"] < 1
    assert growth.power_law([1, 2], [1, 2]) is None
    assert growth.power_law(sizes, [0.0, 1, 2, 3]) is None


def test_points_are_extrapolated():
    assert growth.extrapolate([], [], 10) == 0
    assert growth.extrapolate([1], [5], 10) == 5
    assert growth.extrapolate([1, 10], [5, 50], 100) == pytest.approx(500)
    assert growth.extrapolate([1, 10], [5, 4], 100) == 4  # never downwards


ABOUT = {
    "name": "ELCRec",
    "model": "elcrec",
    "seed": 1,
    "settings": {"parameters": {"intents": 256}},
    "kernels": "plain",
    "fingerprint": "f" * 16,
    "torch_device": "cpu",
    "waiting": {"OMP_WAIT_POLICY": None, "GOMP_SPINCOUNT": "5000"},
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


def fake_point(job, seconds):
    """Time of an evaluation grows with users times items, all else with neither."""
    data, p = job.generated, job.overrides
    if p.get("intents") == 1024:
        raise ProcessError("elcrec: was killed, perhaps for want of memory")
    length = p.get("max_length", 50)
    return {
        "step": 1e-3 * length,
        "epoch": 1e-6 * data.users * length,
        "evaluation": 1e-9 * data.users * data.items,
        "start_training": 0.1,
        "memory_bytes": 1e8 + 1e3 * data.items,
        "evaluation_bytes": 3e7,
        "score_bytes": 2**21,
        "stated_bytes": 2**24,
        "wall_seconds": 1e-6 * data.users,
        "host_load": 0.7,
        "sizes": {"bytes_per_user": 300.0, "activation_bytes": 4e8},
        "about": ABOUT,
    }


@pytest.fixture
def grown():
    job = Job("beauty", "elcrec")
    return scale.grow(job, scale.Limits(seconds=5.0), measure=fake_point)


def test_growth_has_points_fits_and_reasons(grown):
    users, items = grown["factors"]["users"], grown["factors"]["items"]
    assert users["fits"]["evaluation"]["exponent"] == pytest.approx(1)
    assert users["fits"]["step"]["exponent"] == pytest.approx(0)
    assert users["fits"]["epoch"]["exponent"] == pytest.approx(1)
    assert [p["size"] for p in users["points"]] == list(scale.FACTORS["users"])
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
        asked.append((job.generated.users, job.generated.items))
        return fake_point(job, seconds)

    job, earlier = Job("beauty", "elcrec"), Earlier(path)
    found = scale.grow(job, scale.Limits(seconds=60), ["users"], measure, earlier=earlier)
    assert asked == [(10_000, 10_000), (10_000_000, 10_000)]  # the base, and what was not run
    points = found["factors"]["users"]["points"]
    assert [p.get("earlier", False) for p in points] == [*[True] * 6, False]
    assert found["factors"]["users"]["fits"]["evaluation"]["points"] == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "models"}, "kind is 'models'; allowed: 'scale'"),
        ({"about": {**ABOUT, "fingerprint": "e"}}, "measured with another fingerprint"),
        ({"about": {**ABOUT, "seed": 2}}, r"measured with another seed \('2', now '1'\)"),
        ({"factors": {"users": {"points": [{"size": 5}]}}}, "points.0.step' is missing"),
    ],
)
def test_a_record_that_does_not_compare_is_refused(grown, tmp_path, change, message):
    path = tmp_path / "scale.json"
    path.write_text(json.dumps({"kind": "scale", **grown, **change}))
    with pytest.raises(InputError, match=message):
        scale.grow(
            Job("beauty", "elcrec"),
            scale.Limits(),
            ["users"],
            measure=fake_point,
            earlier=Earlier(path),
        )


def test_points_beyond_the_memory_are_not_run():
    limits = scale.Limits(seconds=60, memory_bytes=3e9)
    found = scale.grow(Job("beauty", "elcrec"), limits, ["items"], measure=fake_point)
    last = found["factors"]["items"]["points"][-1]
    # 10 million rows of 64, their gradient, two moments: 10.2 GB
    assert last["not_run"].startswith("needs about 9.6 GiB of memory")


def test_a_model_without_intents_has_no_such_factor():
    found = scale.grow(Job("beauty", "sasrec"), scale.Limits(), measure=fake_point)
    assert "intents" not in found["factors"]
    assert "max_length" in found["factors"]


def test_growth_is_printed_and_drawn(grown, tmp_path):
    printed = text.scale(grown)
    assert "exponent" in printed
    assert "not run: needs about" in printed
    assert "of the largest" in printed
    assert "took 2.1 MB at most, 16.8 MB are stated" in printed
    path = tmp_path / "scale.png"
    plot.draw(grown, path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_short_numbers():
    assert [plot.short(v) for v in (0.05, 25, 1024, 3e4, 1e7)] == [
        "0.05",
        "25",
        "1024",
        "30k",
        "10M",
    ]
    assert [text.number(v) for v in (0.00012345, 0.00123, 1.234, 12.34, 1234.5)] == [
        "0.000123",
        "0.00123",
        "1.23",
        "12.3",
        "1,234",
    ]


def test_a_point_is_measured_in_a_process_of_its_own():
    job = Job("beauty", "elcrec", overrides={"batch_size": 16, "intents": 8}, device="cpu")
    point = scale.measure_point(job.changed(Generated(users=60, items=40)), seconds=120)
    assert point["score_bytes"] <= point["stated_bytes"] == SCORE_MEMORY["cpu"]
    assert point["memory_bytes"] > 0
    assert point["evaluation_bytes"] >= 0
    assert point["sizes"]["bytes_per_user"] > 8 * 8.9  # at least the history
    assert point["sizes"]["activation_bytes"] > 5 * 16 * 50 * 64 * 4  # at least one output each


def test_parameters_are_counted_without_memory():
    settings = resolve(load_config(), "elcrec", "beauty")
    counted = capacity.count_parameters(settings)
    assert (counted.per_user, counted.per_item) == (0, 64)
    model = settings.build(22363, 12103)
    assert counted.count(22363, 12101) == sum(p.numel() for p in model.parameters())
    assert capacity.count_parameters(resolve(load_config(), "bprmf", "beauty")).per_user > 0


def test_what_fits_is_the_inverse_of_what_is_needed():
    parameters = capacity.Parameters(fixed=1000, per_user=0, per_item=64)
    sizes = {"bytes_per_user": 300.0, "activation_bytes": 10**9}
    found = capacity.reckon(parameters, sizes, users=10_000, items=10_000)
    most = found["gpus"]["24"]["items"]
    needed = (1000 + 64 * most) * 4 * len(capacity.COPIES) + 300 * 10_000 + 10**9
    assert needed == pytest.approx(0.9 * 24 * 2**30, rel=1e-6)
    words = capacity.paragraph("ELCRec", found)
    assert "takes 1,536 bytes" in words
    assert f"{most / 1e6:,.1f} million items" in words


def test_users_clustered_before_training_have_to_fit():
    parameters = capacity.Parameters(fixed=0, per_user=0, per_item=64)
    sizes = {"bytes_per_user": 300.0, "activation_bytes": 10**9}
    found = capacity.reckon(parameters, sizes, users=10_000, items=0, clustering=512)
    assert found["gpus"]["24"]["users"] * (300 + 512) == pytest.approx(0.9 * 24 * 2**30, rel=1e-6)
    assert "before training 512 bytes a user" in capacity.paragraph("ELCRec", found)
    # 10 million users' vectors are more than the activations
    many = capacity.reckon(parameters, sizes, users=10**7, items=0, clustering=512)
    needed = many["gpus"]["24"]["items"] * many["bytes_per_item"] + 10**7 * (300 + 512)
    assert needed == pytest.approx(0.9 * 24 * 2**30, rel=1e-6)
    config = load_config()
    elcrec, sasrec = (resolve(config, model, "beauty") for model in ("elcrec", "sasrec"))
    assert capacity.clustering_bytes(elcrec) == 4 * 64
    assert capacity.clustering_bytes(sasrec) == 0


def test_bytes_of_tensors_count_shared_memory_once():
    whole = torch.zeros(100)
    assert operators.tensor_bytes([whole, whole[:10], {"x": torch.zeros(5)}, "text"]) == 420


def test_scores_of_a_million_items_stay_within_the_stated_memory():
    job = Job("beauty", "bprmf", overrides={"dimension": 4}, device="cpu", threads=1)
    subject = Subject(job.changed(Generated(users=40, items=1_000_000)))
    subject.start()
    found = subject.evaluate(record=True)
    assert 10**6 < found["score_bytes"] <= SCORE_MEMORY["cpu"] == found["stated_bytes"]
    # the same ranks as with all scores at once
    small = Evaluator(subject.data, "valid", subject.model.max_length, "strict")
    whole = Evaluator(subject.data, "valid", subject.model.max_length, "strict", 2**32)
    np.testing.assert_array_equal(small.ranks(subject.model), whole.ranks(subject.model))
