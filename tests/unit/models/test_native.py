"""The compiled encoder against the plain one."""

import copy
import subprocess

import numpy as np
import pytest
import torch
from torch import nn

from elcrec.errors import InputError
from elcrec.models.encoder import EncoderSettings, TransformerEncoder
from elcrec.models.native import build, use_native
from elcrec.models.native.function import Workspace, encode_if_supported, parameters, supports

ITEMS = 60
KERNELS = {"plain": None, "native": encode_if_supported}


@pytest.fixture(autouse=True, scope="module")
def compiler():
    try:
        return build.find_compiler()
    except InputError as error:
        pytest.skip(str(error))


def make(causal=True, p=0.0, attention_p=None, **settings):
    torch.manual_seed(0)
    values = {"dimension": 16, "max_length": 50, "blocks": 1, "heads": 2} | settings
    values |= {"hidden_dropout": p, "attention_dropout": p if attention_p is None else attention_p}
    encoder = TransformerEncoder(EncoderSettings(**values), ITEMS, causal)
    for weight in encoder.parameters():
        nn.init.normal_(weight, std=0.2)
    assert use_native(encoder) == 1
    return encoder


def windows(rows, length):
    """Rows of all numbers of items, from a window of padding only to a full one."""
    sequences = torch.randint(1, ITEMS, (rows, length))
    counts = torch.arange(rows) % (length + 1)
    sequences[torch.arange(length) < length - counts[:, None]] = 0
    return sequences


def run(encoder, sequences, kernels, direction=None):
    """Output and gradients by name, for a fixed gradient of the output."""
    encoder.kernels = KERNELS[kernels]
    encoder.zero_grad()
    out = encoder(sequences)
    if direction is None:
        direction = torch.randn(out.shape, generator=torch.Generator().manual_seed(5))
    out.backward(direction.to(out.dtype))
    gradients = {name: p.grad.clone() for name, p in encoder.named_parameters()}
    return {"output": out.detach()} | gradients


def assert_close(ours, expected, tolerance=1e-5):
    """Largest difference relative to the largest value, for each tensor."""
    for name, value in expected.items():
        error = (ours[name] - value).abs().max() / value.abs().max()
        assert error < tolerance, f"{name}: {error:.1e}"


def assert_equal(ours, expected):
    for name, value in expected.items():
        assert torch.equal(ours[name], value), name


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("blocks", [1, 2, 3])
@pytest.mark.parametrize(("dimension", "heads"), [(16, 1), (16, 4), (64, 1), (64, 2), (64, 4)])
def test_outputs_and_gradients_equal_the_plain_ones(causal, blocks, dimension, heads):
    encoder = make(causal, dimension=dimension, heads=heads, blocks=blocks)
    sequences = windows(61, 50)
    # 3e-5: -10000 on a score rounds it to 1/1024, so rare ties there fall to either side.
    expected = run(encoder, sequences, "plain")
    assert_close(run(encoder, sequences, "native"), expected, 3e-5)


@pytest.mark.parametrize("length", [1, 2, 3, 15, 16, 17, 31, 32, 33, 49])
@pytest.mark.parametrize("rows", [1, 45])
def test_any_length_and_number_of_windows(length, rows):
    encoder, sequences = make(blocks=2), windows(rows, length)
    sequences[0] = 1
    expected = run(encoder, sequences, "plain")
    assert_close(run(encoder, sequences, "native"), expected, 3e-5)


def test_windows_longer_than_a_machine_word_of_mask():
    encoder, sequences = make(max_length=130, p=0.3), windows(20, 130)
    fix_masks(encoder, sequences)
    ours = run(encoder, sequences, "native")
    assert_close(ours, run(encoder, sequences, "plain"), 3e-5)


def test_padding_inside_a_window_and_windows_of_padding_only():
    encoder = make(dimension=64)
    sequences = windows(20, 50)
    sequences[:, 20:30] = 0
    sequences[3] = 0
    expected = run(encoder, sequences, "plain")
    assert_close(run(encoder, sequences, "native"), expected, 3e-5)


# Dropout: an independent implementation of the masks, given to the plain encoder.


def random_words(seed, numbers):
    """SplitMix64 at places of its sequence."""
    with np.errstate(over="ignore"):
        x = np.uint64(seed) + (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def keep_rows(seed, p, site, rows, width):
    """Masks (rows, width) of 0 and 1, and the factor of what is kept."""
    kept = 65536 - round(p * 65536)
    if kept == 65536:
        return torch.ones(rows, width), 1.0
    count = -(-width // 64)
    last = next(d for d in range(16) if kept >> d & 1)
    digits = range(last, 16)
    number = np.arange(rows * count, dtype=np.uint64).reshape(rows, count) * len(digits)
    place = np.uint64(site << 48) + number.astype(np.uint64)
    word = np.zeros((rows, count), dtype=np.uint64)
    for i, digit in enumerate(digits):
        fair = random_words(seed, place + np.uint64(i))
        word = word | fair if kept >> digit & 1 else word & fair
    bits = word[:, :, None] >> np.arange(64, dtype=np.uint64) & np.uint64(1)
    return torch.from_numpy(bits.reshape(rows, -1)[:, :width].astype(np.float32)), 65536 / kept


class Fixed(nn.Module):
    """Dropout with a given mask."""

    def __init__(self, p, mask, scale):
        super().__init__()
        self.p = p
        self.mask = mask * scale

    def forward(self, x):
        return x * self.mask


def fix_masks(encoder, sequences, seed=11):
    """Give the plain encoder the masks that the native one draws after `manual_seed(seed)`."""
    torch.manual_seed(seed)
    drawn = int(torch.empty((), dtype=torch.int64).random_())
    rows, length, width = *sequences.shape, encoder.items.embedding_dim
    heads = encoder.blocks[0].attention.heads

    def hidden(p, site):
        mask, scale = keep_rows(drawn, p, site, rows * length, width)
        return Fixed(p, mask.view(rows, length, width), scale)

    encoder.dropout = hidden(encoder.dropout.p, 0)
    for i, block in enumerate(encoder.blocks):
        p = block.attention.probability_dropout.p
        mask, scale = keep_rows(drawn, p, 3 * i + 1, rows * heads * length, length)
        attention = Fixed(p, mask.view(rows, heads, length, length), scale)
        block.attention.probability_dropout = attention
        block.attention.dropout = hidden(block.attention.dropout.p, 3 * i + 2)
        block.feed_forward.dropout = hidden(block.feed_forward.dropout.p, 3 * i + 3)
    torch.manual_seed(seed)


@pytest.mark.parametrize(("p", "attention_p"), [(0.5, 0.5), (0.5, 0.2), (0.1, 0.0), (0.75, 0.3)])
@pytest.mark.parametrize(("dimension", "heads", "blocks"), [(16, 2, 2), (64, 2, 1), (80, 5, 1)])
def test_with_dropout_it_equals_the_plain_one_given_the_same_masks(
    p, attention_p, dimension, heads, blocks
):
    encoder = make(p=p, attention_p=attention_p, dimension=dimension, heads=heads, blocks=blocks)
    sequences = windows(70, 50)
    fix_masks(encoder, sequences)
    ours = run(encoder, sequences, "native")
    assert_close(ours, run(encoder, sequences, "plain"), 3e-5)


@pytest.mark.parametrize("p", [0.5, 0.2, 0.1, 1 / 3, 0.75])
def test_masks_keep_the_right_share_and_are_independent(p):
    mask, scale = keep_rows(123456789, p, 2, 20_000, 64)
    assert scale == pytest.approx(1 / (1 - p), rel=1e-4)
    share, deviation = mask.double().mean().item(), (p * (1 - p)) ** 0.5
    assert share == pytest.approx(1 - p, abs=5 * deviation / mask.numel() ** 0.5)
    centred = (mask.double() - (1 - p)) / deviation
    bound = 5 / len(mask) ** 0.5  # five standard deviations
    assert centred.mean(0).abs().max() < bound  # each position
    correlation = centred.T @ centred / len(mask) - torch.eye(64)
    assert correlation.fill_diagonal_(0).abs().max() < bound * 1.2  # each two of a row
    assert (centred[1:] * centred[:-1]).mean(0).abs().max() < bound  # neighbouring rows
    other = keep_rows(123456789, p, 3, 20_000, 64)[0]
    assert ((other.double() - (1 - p)) * centred).mean().abs() < 5 / mask.numel() ** 0.5
    later = keep_rows(123456790, p, 2, 20_000, 64)[0]
    assert ((later.double() - (1 - p)) * centred).mean().abs() < 5 / mask.numel() ** 0.5


def test_equal_seeds_give_equal_results_and_calls_differ():
    encoder, sequences = make(p=0.5), windows(9, 50)
    torch.manual_seed(3)
    first, second = run(encoder, sequences, "native"), run(encoder, sequences, "native")
    torch.manual_seed(3)
    assert_equal(run(encoder, sequences, "native"), first)
    assert not torch.equal(first["output"], second["output"])


def test_a_window_does_not_depend_on_those_after_it():
    """Its masks follow from its number alone, however the batch is cut up."""
    encoder, sequences = make(p=0.5), windows(75, 50)
    torch.manual_seed(3)
    whole = run(encoder, sequences, "native")["output"]
    torch.manual_seed(3)
    part = run(encoder, sequences[:31], "native", whole[:31])["output"]
    torch.testing.assert_close(part, whole[:31], rtol=1e-5, atol=1e-5)


def test_the_mean_over_many_masks_is_that_of_the_plain_kernels():
    encoder = make(p=0.5)
    sequences = torch.tensor([0, 0, 3, 1, 4, 1]).expand(8000, 6)
    native = run(encoder, sequences, "native")["output"]
    plain = run(encoder, sequences, "plain")["output"]
    noise = ((native.var(0) + plain.var(0)) / len(sequences)).sqrt()
    assert ((native.mean(0) - plain.mean(0)) / noise).abs().max() < 5
    torch.testing.assert_close(native.std(0), plain.std(0), rtol=0.1, atol=0)


def test_results_do_not_depend_on_the_threads():
    encoder, sequences = make(p=0.5, dimension=64, blocks=2), windows(100, 50)
    before = torch.get_num_threads()
    results = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        torch.manual_seed(3)
        results.append(run(encoder, sequences, "native"))
    torch.set_num_threads(before)
    assert_equal(results[1], results[0])
    assert_equal(results[2], results[0])


# When it applies, and when not.


def test_other_uses_stay_plain():
    encoder, sequences = make(), windows(4, 8)
    assert supports(encoder, sequences)
    with torch.no_grad():
        assert not supports(encoder, sequences)
    with torch.autocast("cpu"):
        assert not supports(encoder, sequences)
    assert not supports(encoder, sequences[:0])
    assert not supports(encoder, windows(4, 51))
    assert not supports(copy.deepcopy(encoder).eval(), sequences)
    assert not supports(copy.deepcopy(encoder).double(), sequences)
    assert not supports(copy.deepcopy(encoder).to("meta"), sequences)
    assert not supports(make(dimension=24), sequences)
    double = copy.deepcopy(encoder).double()
    assert_equal(run(double, sequences, "native"), run(double, sequences, "plain"))


def test_the_switch_leaves_parameters_and_evaluation_alone():
    encoder, sequences = make(p=0.5), windows(6, 50)
    plain = TransformerEncoder(EncoderSettings(16, 50, 1, 2), ITEMS)
    assert encoder.state_dict().keys() == plain.state_dict().keys()
    assert {id(p) for p in parameters(encoder)} == {id(p) for p in encoder.parameters()}
    assert plain.kernels is KERNELS["plain"]
    assert encoder.kernels is KERNELS["native"]
    assert use_native(nn.Linear(2, 2)) == 0
    encoder.eval()
    native = encoder(sequences)
    encoder.kernels = KERNELS["plain"]
    assert torch.equal(encoder(sequences), native)


def test_frozen_parameters_get_no_gradient():
    encoder, sequences = make(), windows(6, 50)
    expected = run(encoder, sequences, "plain")
    encoder.zero_grad()
    encoder.items.weight.requires_grad_(False)
    encoder.kernels = KERNELS["native"]
    encoder(sequences).sum().backward()
    assert encoder.items.weight.grad is None
    assert encoder.positions.weight.grad.shape == expected["positions.weight"].shape


@pytest.mark.parametrize(
    "name", ["items", "blocks.0.attention.projection", "blocks.0.feed_forward"]
)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_diverged_model_shows(name, value):
    encoder, sequences = make(p=0.5), windows(51, 50)
    for weight in encoder.get_submodule(name).parameters():
        weight.data[...] = value
    result = run(encoder, sequences, "native")
    assert not result["output"].isfinite().any()
    assert not result["positions.weight"].isfinite().all()


def test_ids_outside_the_table_are_refused():
    encoder = make()
    for wrong in (ITEMS, -1):
        with pytest.raises(IndexError, match=f"0 to {ITEMS - 1}"):
            encoder(torch.tensor([[1, wrong]]))


def test_a_second_backward_pass_is_refused():
    out = make()(windows(4, 5)).sum()
    out.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="second backward"):
        out.backward()


def test_several_passes_before_one_backward_pass():
    encoder, a, b = make(), windows(40, 50), windows(7, 20)
    results = {}
    for kernels in ("plain", "native"):
        encoder.kernels = KERNELS[kernels]
        encoder.zero_grad()
        encoder(b).sum().backward()
        (encoder(a)[:, -1].sum() + 2 * encoder(b).square().sum()).backward()
        results[kernels] = {n: p.grad.clone() for n, p in encoder.named_parameters()}
    assert_close(results["native"], results["plain"], 3e-5)


def test_the_workspace_reuses_memory_and_does_not_grow():
    workspace = Workspace()
    first = workspace.take(100)
    workspace.give_back(first)
    assert workspace.take(80) is first
    second = workspace.take(80)
    assert second is not first
    workspace.give_back(second)
    assert workspace.take(200) is not second  # too small: dropped
    assert workspace.take(80) is not second


# Building.


def test_it_is_built_once_for_each_width(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    build.library.__wrapped__(16)
    (built,) = (tmp_path / "elcrec").iterdir()
    monkeypatch.setattr(subprocess, "run", only_version)
    build.library.__wrapped__(16)
    assert list((tmp_path / "elcrec").iterdir()) == [built]


_run = subprocess.run


def only_version(command, **options):
    assert command[1:] == ["--version"]
    return _run(command, **options)


def test_without_a_compiler_the_error_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(InputError, match="need a GCC C\\+\\+ compiler"):
        build.library.__wrapped__(16)


def test_a_failing_compiler_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(build, "COMPILE", ["-std=nonsense"])
    with pytest.raises(InputError, match="failed") as raised:
        build.library.__wrapped__(16)
    assert "\n" not in str(raised.value)
    assert not list((tmp_path / "elcrec").glob("*.so"))


def test_a_cache_folder_that_cannot_be_made_is_one_line(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"file/elcrec/encoder-16-.*: cannot be written: a file"):
        build.library.__wrapped__(16)
    monkeypatch.setenv("XDG_CACHE_HOME", "~no-such-user/cache")
    with pytest.raises(InputError, match="XDG_CACHE_HOME must be an absolute path, got '~no-such"):
        build.library.__wrapped__(16)


def test_the_cache_folder_and_the_compiler_may_be_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CXX", "~/g++")
    monkeypatch.setenv("XDG_CACHE_HOME", "~/cache")
    assert build.cache_folder() == tmp_path / "cache" / "elcrec"
    (tmp_path / "g++").touch(mode=0o755)
    assert build.find_compiler() == str(tmp_path / "g++")
