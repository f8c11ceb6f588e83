"""Metrics against sampled negatives, in closed form from full ranks.

Of a user's candidates, r rank before the target; of m sampled ones a random number J does, and the
sampled metric is that of rank J. Its mean over all samples is computed, so nothing is drawn.
Source: Krichene & Rendle, "On Sampled Metrics for Item Recommendation" (KDD 2020).
"""

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from elcrec.evaluation.metrics import per_user

NEGATIVES = 100
"""As most papers draw: BERT4Rec, S3-Rec and others."""

Chances = NDArray[np.float64]
"""(users, places) probability of each sampled rank from 0; ranks beyond the last place are not
listed."""


def uniform(
    ranks: NDArray[np.integer], candidates: NDArray[np.integer], places: int, m: int = NEGATIVES
) -> Chances:
    """Negatives drawn evenly without replacement: J is hypergeometric.

    Args:
        ranks: (users,) 0-based full ranks r; one above the number of candidates counts as last.
        candidates: (users,) number of items that may be drawn: those that the user never had.
        places: Sampled ranks that are listed.
        m: Negatives; where there are fewer candidates, all of them.
    """
    ahead = np.minimum(ranks, candidates)[:, None]
    drawn = np.minimum(m, candidates)[:, None]
    behind, place = candidates[:, None] - ahead, np.arange(places)
    # scipy.stats.hypergeom does the same in minutes.
    ways = _log_ways(ahead, place) + _log_ways(behind, drawn - place)
    return np.exp(ways - _log_ways(ahead + behind, drawn))


def _log_ways(n: NDArray[np.integer], k: NDArray[np.integer]) -> NDArray[np.float64]:
    """Logarithm of n over k; -inf where there is no way."""
    possible = (k >= 0) & (k <= n)
    k = np.where(possible, k, 0)
    ways = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    return np.where(possible, ways, -np.inf)


def by_popularity(shares: NDArray[np.floating], places: int, m: int = NEGATIVES) -> Chances:
    """Negatives drawn by popularity with replacement: J is binomial.

    Args:
        shares: (users,) popularity of the candidates before the target / that of all candidates.
        places: Sampled ranks that are listed.
        m: Negatives.
    """
    return np.asarray(stats.binom.pmf(np.arange(places), m, np.clip(shares, 0, 1)[:, None]))


def expected(metric: str, chances: Chances) -> float:
    """Mean over users and samples; the places must reach the metric's k. Errors as `per_user`."""
    return float((chances @ per_user(metric, np.arange(chances.shape[1]))).mean())
