"""Captured steps: which step is eager, captured or replayed; and the same numbers on a GPU."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import torch

import baselines.bert4rec
import baselines.bprmf
import baselines.caser
import baselines.cl4srec
import baselines.dssrec
import baselines.gru4rec
import baselines.iclrec
import baselines.s3rec_pretrain
import baselines.sasrec
import elcrec.models.elcrec
import elcrec.training.graph
from elcrec.data.histories import InteractionData
from elcrec.data.sequences import Sequences
from elcrec.models.interface import Context
from elcrec.training.graph import WARM_UP, CudaBackend, GraphedStep
from elcrec.training.loop import train
from elcrec.training.result import Options
from elcrec.training.settings import TrainingSettings
from elcrec.training.step import Step, make_optimiser, make_step, train_epoch
from elcrec.usage import Stopwatch
from tests.contract.contract import cycle_data

SMALL = {"dimension": 16, "max_length": 12, "blocks": 1}


class FakeBackend:
    """A graph that is the function itself; capturing does not execute it, as with CUDA."""

    def __init__(self, fails_at=None):
        self.fails_at = fails_at
        self.events = []

    @contextmanager
    def warm_up(self):
        self.events.append("eager")
        yield

    def capture(self, run):
        self.events.append("capture")
        if self.events.count("capture") == self.fails_at:
            try:
                raise RuntimeError("operation not permitted\nwhen stream is capturing")
            finally:
                raise RuntimeError("the capture was invalidated")

        def replay():
            self.events.append("replay")
            run()

        return replay


def trained_on(backend, sizes, graphed=None):
    """Samples that the steps of these sizes trained on, in order."""
    seen, graphed = [], graphed or GraphedStep(backend)
    numbers = torch.arange(sum(sizes)).split(sizes)
    for samples in numbers:
        graphed.take(lambda s, share: seen.append((s.tolist(), share)), samples, len(samples) / 100)
    assert [s for s, _ in seen] == [list(s.tolist()) for s in numbers]
    assert [share for _, share in seen] == [n / 100 for n in sizes]
    return backend.events


def test_the_first_steps_are_eager_then_one_capture_then_replays():
    events = trained_on(FakeBackend(), [8] * 6)
    assert WARM_UP == 3
    assert events == ["eager"] * 3 + ["capture"] + ["replay"] * 3


def test_each_batch_size_has_a_graph_of_its_own():
    events = trained_on(FakeBackend(), [8, 8, 8, 8, 5] * 5)
    small = ["eager", "eager", "eager", "capture replay", "replay"]
    first, *later = ["eager eager eager capture replay", *["replay replay replay replay"] * 4]
    expected = " ".join(f"{a} {b}" for a, b in zip([first, *later], small, strict=True))
    assert events == expected.split()


def test_samples_are_copied_to_where_the_graph_reads_them():
    graphed, backend, read = GraphedStep(FakeBackend()), FakeBackend(), []
    trained_on(backend, [4] * 5, graphed)
    static = graphed._graphs[4, 0.04][0]
    samples = torch.tensor([9, 8, 7, 6])
    graphed.take(lambda s, share: read.append(s), samples, 0.04)
    assert read == []  # the captured function runs, not this one
    assert static.tolist() == [9, 8, 7, 6]
    assert static.data_ptr() != samples.data_ptr()


def test_a_failed_capture_is_one_line_and_eager_from_there_on(capsys):
    backend = FakeBackend(fails_at=2)  # the first size has a graph by then
    events = trained_on(backend, [8] * 5 + [5] * 6 + [8] * 2)
    tail = ["eager"] * 3 + ["capture"]  # further eager steps are outside the backend
    assert events == ["eager"] * 3 + ["capture", "replay", "replay", *tail]
    error = capsys.readouterr().err
    assert error == "elcrec: training without CUDA graphs: operation not permitted\n"


def elcrec_steps(backend, epochs=5):
    data = cycle_data()
    torch.manual_seed(1)
    parameters = elcrec.models.elcrec.Hyperparameters(**SMALL, intents=8)
    model = elcrec.models.elcrec.Model(parameters, data.n_users, data.item_size)
    context = Context(data, torch.Generator().manual_seed(1), 1, Stopwatch(data.device))
    model.start_training(context)
    optimiser = make_optimiser(model, TrainingSettings())
    step = Step(model, context, optimiser, GraphedStep(backend) if backend else None)
    losses = [train_epoch(step, 64) for _ in range(epochs)]
    return losses, model.state_dict()


@pytest.mark.parametrize("fails_at", [None, 1, 2])
def test_no_step_is_lost_or_done_twice_and_the_sums_are_the_same(fails_at, capsys):
    backend = FakeBackend(fails_at)
    losses, weights = elcrec_steps(backend)
    expected_losses, expected = elcrec_steps(None)
    assert "capture" in backend.events
    assert losses == expected_losses
    for name, weight in expected.items():
        assert torch.equal(weights[name], weight), name


def test_the_same_steps_in_all_epochs_give_what_new_ones_in_each_give():
    data = cycle_data()
    results = []
    for keep in (False, True):
        torch.manual_seed(1)
        model = baselines.sasrec.Model(
            baselines.sasrec.Hyperparameters(**SMALL), data.n_users, data.item_size
        )
        context = Context(data, torch.Generator().manual_seed(1), 1, Stopwatch(data.device))
        optimiser = make_optimiser(model, TrainingSettings())
        steps = [make_step(model, context, optimiser) for _ in range(3)]
        results.append([train_epoch(steps[0] if keep else step, 64) for step in steps])
    assert results[0] == results[1]


def test_without_a_gpu_or_without_parameters_there_are_no_graphs():
    data = cycle_data()
    model = baselines.bprmf.Model(baselines.bprmf.Hyperparameters(), data.n_users, data.item_size)
    context = Context(data, torch.Generator(), 1, Stopwatch(data.device))
    step = make_step(model, context, make_optimiser(model, TrainingSettings()), graphs=True)
    assert step.graphed is None
    assert make_step(model, context, None, graphs=True) is None


def test_kept_tensors_are_refilled_and_never_shared():
    data = cycle_data()
    model = baselines.bprmf.Model(baselines.bprmf.Hyperparameters(), data.n_users, data.item_size)
    given = torch.arange(3)
    model.keep("mine", given)
    first = model.mine
    model.keep("mine", torch.tensor([7, 8, 9]))
    assert model.mine is first
    assert model.mine.tolist() == [7, 8, 9]
    assert given.tolist() == [0, 1, 2]
    model.keep("mine", torch.ones(2))  # another form: another tensor
    assert model.mine.tolist() == [1, 1]
    model.weight = weight = torch.nn.Parameter(torch.ones(4))
    model.keep("weight", torch.zeros(4))  # a parameter is refilled too
    assert model.weight is weight
    assert not weight.any()


class PretendedCuda:
    """What `CudaBackend` calls of `torch.cuda`, written down; a graph can be made to fail."""

    def __init__(self, monkeypatch, fails=False):
        self.events, self.current, self.fails = [], "main", fails
        self.default = PretendedGenerator(self, "default")
        for name in ("graph_pool_handle", "Stream", "CUDAGraph", "graph", "stream"):
            monkeypatch.setattr(torch.cuda, name, getattr(self, name))
        monkeypatch.setattr(torch.cuda, "current_stream", lambda: PretendedStream(self.current))
        monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
        monkeypatch.setattr(torch.cuda, "default_generators", [self.default])

    def graph_pool_handle(self):
        return "pool"

    def Stream(self):  # noqa: N802
        return PretendedStream("side", self.events)

    def CUDAGraph(self):  # noqa: N802
        return SimpleNamespace(
            register_generator_state=lambda g: self.events.append(f"register {g.name}"),
            replay=lambda: self.events.append(f"replay on {self.current}"),
        )

    @contextmanager
    def stream(self, stream):
        before, self.current = self.current, stream.name
        try:
            yield
        finally:
            self.current = before

    @contextmanager
    def graph(self, graph, pool, stream):
        assert pool == "pool"
        self.current = stream.name  # as PyTorch's, it stays there when the capture fails
        self.events.append("begin")
        try:
            yield
        finally:
            if self.fails:
                raise RuntimeError("operation failed due to a previous error during capture")
            self.current = "main"
            self.events.append("end")


class PretendedStream:
    def __init__(self, name, events=None):
        self.name, self.events = name, events

    def wait_stream(self, other):
        if self.events is not None:
            self.events.append(f"{self.name} waits for {other.name}")


class PretendedGenerator:
    def __init__(self, cuda, name):
        self.cuda, self.name, self.state = cuda, name, "clean"

    def clone_state(self):
        return f"copy of {self.state}"

    def graphsafe_set_state(self, state):
        self.state = state


def cuda_step(monkeypatch, fails):
    """A pretended GPU with a backend for it, and what a step does there."""
    cuda = PretendedCuda(monkeypatch, fails)
    weight = torch.nn.Parameter(torch.ones(2))
    optimiser = torch.optim.Adam([weight], fused=True)
    generator = PretendedGenerator(cuda, "sampling")

    def run():
        (group,) = optimiser.param_groups
        clean = weight.grad is None
        cuda.events.append(f"step, {clean=}, capturable={group['capturable']}, on {cuda.current}")
        cuda.default.state = generator.state = "capturing"
        weight.grad = torch.ones(2)
        if fails:
            raise RuntimeError("operation not permitted when stream is capturing")
        cuda.default.state = generator.state = "captured"

    return cuda, CudaBackend(generator, optimiser), run, (generator, optimiser, weight)


def test_a_capture_on_cuda_begins_clean_and_replays_on_the_stream_of_the_caller(monkeypatch):
    cuda, backend, run, (generator, optimiser, weight) = cuda_step(monkeypatch, fails=False)
    with backend.warm_up():
        cuda.events.append(f"eager on {cuda.current}")
    weight.grad = torch.ones(2)  # of the eager step
    backend.capture(run)()
    assert cuda.events == [
        "side waits for main",
        "eager on side",
        "register sampling",
        "begin",
        "step, clean=True, capturable=True, on side",
        "end",
        "replay on main",
    ]
    assert optimiser.param_groups[0]["capturable"] is False
    assert generator.state == cuda.default.state == "captured"
    assert elcrec.training.graph._unfinished == []


def test_after_a_failed_capture_on_cuda_all_is_as_before(monkeypatch, capsys):
    cuda, backend, run, (generator, optimiser, weight) = cuda_step(monkeypatch, fails=True)
    graphed = GraphedStep(backend)
    for _ in range(WARM_UP):
        graphed.take(lambda samples, share: None, torch.arange(2), 0.5)
    with pytest.raises(RuntimeError, match="not permitted"):  # the eager step fails here too
        graphed.take(lambda samples, share: run(), torch.arange(2), 0.5)
    assert cuda.events[-1] == "step, clean=True, capturable=False, on main"
    error = capsys.readouterr().err
    assert error.endswith("CUDA graphs: operation not permitted when stream is capturing\n")
    elcrec.training.graph._unfinished.clear()

    generator.state = cuda.default.state = "clean"
    with pytest.raises(RuntimeError, match="previous error"):
        backend.capture(run)
    assert cuda.current == "main"
    assert generator.state == cuda.default.state == "copy of clean"
    assert weight.grad is None
    assert optimiser.param_groups[0]["capturable"] is False
    assert len(elcrec.training.graph._unfinished) == 1  # the allocator may still ask it
    elcrec.training.graph._unfinished.clear()


# --- on a GPU ---------------------------------------------------------------------------------

MODELS = {
    "elcrec": (elcrec.models.elcrec, SMALL | {"intents": 8}),
    "iclrec": (baselines.iclrec, SMALL | {"intents": 8}),
    "sasrec": (baselines.sasrec, SMALL),
    "bprmf": (baselines.bprmf, {"dimension": 16, "samples_per_epoch": 500}),
    "gru4rec": (baselines.gru4rec, {"dimension": 16, "hidden": 24, "max_length": 12}),  # cuDNN
}
ALL = MODELS | {
    "sasrec_ce": (baselines.sasrec, SMALL | {"loss": "ce"}),
    "cl4srec_last": (baselines.cl4srec, SMALL | {"form": "last"}),
    "bert4rec": (baselines.bert4rec, SMALL),
    "dssrec": (baselines.dssrec, SMALL),
    "caser": (baselines.caser, {"dimension": 16}),
    "s3rec_pretrain": (baselines.s3rec_pretrain, SMALL | {"prefix_share": 0.3}),
}


def gpu_run(name, graphs, cls=None, epochs=10):
    module, values = MODELS[name]
    cpu = cycle_data()
    data = on_gpu(cpu)
    torch.manual_seed(1)
    parameters = module.Hyperparameters(**values)
    model = (cls or module.Model)(parameters, data.n_users, data.item_size).to("cuda")
    settings = TrainingSettings(batch_size=64, max_epochs=epochs, patience=0)
    return train(model, data, settings, seed=1, options=Options(graphs=graphs))


def on_gpu(cpu):
    """The same histories on the GPU."""
    names = tuple(str(user) for user in range(cpu.n_users))
    return InteractionData(Sequences(cpu.host_items, cpu.host_offsets, names), "cuda:0")


@pytest.mark.gpu
@pytest.mark.parametrize("name", MODELS)
def test_on_a_gpu_graphs_train_as_eager_steps_do(name, capsys):
    eager, graphed = gpu_run(name, False), gpu_run(name, True)
    assert capsys.readouterr().err == ""  # the capture did not fail
    for one, other in zip(eager.history, graphed.history, strict=True):
        for key, value in one.items():
            if key.startswith("loss_"):
                assert other[key] == pytest.approx(value, rel=1e-3, abs=1e-5), (one["epoch"], key)
        assert other["NDCG@20"] == pytest.approx(one["NDCG@20"], abs=0.02)
    assert len(eager.history) == 10


@pytest.mark.gpu
@pytest.mark.parametrize("name", ALL)
def test_on_a_gpu_no_step_waits_for_it(name):
    module, values = ALL[name]
    data = on_gpu(cycle_data())
    model = module.Model(module.Hyperparameters(**values), data.n_users, data.item_size).to("cuda")
    context = Context(data, torch.Generator("cuda").manual_seed(1), 1, Stopwatch(data.device))
    model.start_training(context)
    model.start_epoch(0, context)
    step = make_step(model, context, make_optimiser(model, TrainingSettings()))
    samples = torch.arange(32, device="cuda")
    step(samples, 0.1)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(3):
            step(samples, 0.1)
    finally:
        torch.cuda.set_sync_debug_mode("default")


class ReadsANumber(baselines.sasrec.Model):
    def loss(self, batch):
        terms = super().loss(batch)
        return {"total": terms["total"] + 0 * terms["total"].item()}


@pytest.mark.gpu
def test_on_a_gpu_training_goes_on_after_a_capture_that_failed(capsys):
    eager = gpu_run("sasrec", False, ReadsANumber)
    graphed = gpu_run("sasrec", True, ReadsANumber)
    error = capsys.readouterr().err
    assert error.count("elcrec: training without CUDA graphs:") == 1
    for one, other in zip(eager.history, graphed.history, strict=True):
        assert other["loss_total"] == pytest.approx(one["loss_total"], rel=1e-3)


@pytest.mark.gpu
def test_on_a_gpu_the_sampling_of_replays_goes_on_from_that_of_eager_steps():
    """The same random numbers in the same order, whether a step is eager or replayed."""
    draws = []
    for graphs in (False, True):
        generator = torch.Generator("cuda").manual_seed(1)
        weight = torch.nn.Parameter(torch.zeros(4, device="cuda"))
        optimiser = torch.optim.Adam([weight], fused=True)
        drawn = torch.zeros(4, device="cuda")

        def run(samples, share, generator=generator, drawn=drawn):
            drawn.copy_(torch.rand(4, generator=generator, device="cuda"))

        graphed = GraphedStep(CudaBackend(generator, optimiser))
        rows = []
        for _ in range(8):
            samples = torch.arange(4, device="cuda")
            graphed.take(run, samples, 0.5) if graphs else run(samples, 0.5)
            rows.append(drawn.tolist())
        draws.append(rows)
    assert draws[0] == draws[1]
