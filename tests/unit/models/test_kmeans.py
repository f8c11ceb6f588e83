"""k-means: deterministic, warm-started, refused where it cannot be."""

import pytest
import torch

from elcrec.errors import InputError
from elcrec.models.kmeans import KMeans

CPU = torch.device("cpu")


def blobs(n: int = 300) -> torch.Tensor:
    torch.manual_seed(0)
    means = torch.tensor([[5.0, 0, 0, 0], [0, 5.0, 0, 0], [0, 0, 5.0, 0]])
    return means.repeat(n // 3, 1) + 0.1 * torch.randn(n, 4)


def test_it_finds_what_is_there_and_repeats_itself():
    first = KMeans(3, 4, 1, CPU).fit(blobs())
    assert torch.equal(first, KMeans(3, 4, 1, CPU).fit(blobs()))
    centers = first[first.argmax(1).argsort()]
    torch.testing.assert_close(centers, torch.eye(3, 4) * 5, atol=0.05, rtol=0)


def test_a_second_fit_goes_on_from_the_first():
    kmeans, points = KMeans(8, 4, 1, CPU), blobs()
    first = kmeans.fit(points)
    again = kmeans.fit(points)
    # Begun at the first result, every restart stays in its optimum, so no center moves far.
    assert torch.cdist(again, first).min(1).values.max() < 0.1


def test_more_clusters_than_points():
    with pytest.raises(InputError, match="intents: 5 clusters need at least as many users, got 4"):
        KMeans(5, 2, 1, CPU).fit(torch.zeros(4, 2))
