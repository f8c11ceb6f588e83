"""Readers of logs with several labels: interactions, and attributes of users and items.

- ml-100k: MovieLens-100K in RecBole's atomic files; "liked" is a rating of 4 or 5, "loved" one of 5
- kuairand-pure: Gao et al., "KuaiRand: An Unbiased Sequential Recommendation Dataset with Randomly
  Exposed Videos" (CIKM 2022). Its two logs of the standard policy are read. Attributes without a
  date that may include the test period are left out: how active a user is, whom a user follows, and
  the statistics of videos over the month.
- census-income: the KDD data set of UCI, with the first pair of tasks of Ma et al., "Modeling Task
  Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts" (KDD 2018), section 6.3:
  income above 50,000 and never married. Each person is one interaction, without user, item or time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from elcrec.data.table import numbers, read_columns, refuse

KUAIRAND_LOGS = ("log_standard_4_08_to_4_21_pure.csv", "log_standard_4_22_to_5_08_pure.csv")
KUAIRAND_TASKS = ("is_click", "long_view", "is_like", "is_follow")
KUAIRAND_USER = (
    *("is_live_streamer", "is_video_author", "register_days_range"),
    *(f"onehot_feat{number}" for number in (0, 1, 2, 4, 6, 9, 10, 11)),
)
CENSUS_HEADER = (
    *("age", "class_worker", "det_ind_code", "det_occ_code", "education", "wage_per_hour"),
    *("hs_college", "marital_stat", "major_ind_code", "major_occ_code", "race", "hisp_origin"),
    *("sex", "union_member", "unemp_reason", "full_or_part_emp", "capital_gains"),
    *("capital_losses", "stock_dividends", "tax_filer_stat", "region_prev_res"),
    *("state_prev_res", "det_hh_fam_stat", "det_hh_summ", "instance_weight", "mig_chg_msa"),
    *("mig_chg_reg", "mig_move_reg", "mig_same", "mig_prev_sunbelt", "num_emp", "fam_under_18"),
    *("country_father", "country_mother", "country_self", "citizenship", "own_or_self"),
    *("vet_question", "vet_benefits", "weeks_worked", "year", "income_50k"),
)
"""Columns of Census-Income, whose files have no header."""
CENSUS_NUMBERS = (
    *("age", "wage_per_hour", "capital_gains", "capital_losses", "stock_dividends", "num_emp"),
    "weeks_worked",
)
CENSUS_UNUSED = ("instance_weight", "marital_stat", "income_50k")
"""A survey weight, and the labels."""


@dataclass(frozen=True)
class Log:
    """Interactions with labels; text columns are categories, numeric columns numbers."""

    rows: pd.DataFrame
    """A row for each interaction: the tasks as 0.0 or 1.0, `context`, and user, item and time."""
    tasks: tuple[str, ...]
    users: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Attributes of users, by id."""
    items: pd.DataFrame = field(default_factory=pd.DataFrame)
    """Attributes of items, by id."""
    context: tuple[str, ...] = ()
    """Columns of `rows` that are features."""
    test: NDArray[np.bool_] | None = None
    """(rows,) whether a row is from a test file; None: split by time."""


def read_log(format: str, paths: Mapping[str, Path]) -> Log:
    """Read a data set.

    Args:
        format: A key of `READERS`.
        paths: Its files, by the names of `elcrec.config.industrial.FILES`.

    Raises:
        InputError: A file or column is missing, or a line is invalid; names the first one.
    """
    return READERS[format](paths)


def _ml100k(paths: Mapping[str, Path]) -> Log:
    inter = read_columns(paths["inter"], ("user_id", "item_id", "rating", "timestamp"))
    rating = numbers(paths["inter"], inter["rating"], "rating", 2)
    rows = pd.DataFrame({"user": inter["user_id"], "item": inter["item_id"]})
    rows["time"] = numbers(paths["inter"], inter["timestamp"], "timestamp", 2)
    rows["liked"], rows["loved"] = (rating >= 4).astype(float), (rating >= 5).astype(float)
    users = read_columns(paths["user"], ("user_id", "age", "gender", "occupation", "zip_code"))
    users["age"] = numbers(paths["user"], users["age"], "age", 2).astype(float)
    users["zip_code"] = users["zip_code"].str[:1]  # the region
    items = read_columns(paths["item"], ("item_id", "release_year", "class"))
    genres = items.pop("class").str.get_dummies(" ").astype(float)
    items["release_year"] = pd.to_numeric(items["release_year"], errors="coerce")  # some have none
    known = users.set_index("user_id"), items.join(genres).set_index("item_id")
    return Log(rows, ("liked", "loved"), *known)


def _kuairand(paths: Mapping[str, Path]) -> Log:
    archive = paths["archive"]
    keys = ("user_id", "video_id", "time_ms", "hourmin", "tab", *KUAIRAND_TASKS)
    rows = pd.concat([_kuairand_log(archive, name, keys) for name in KUAIRAND_LOGS])
    users = read_columns(archive, ("user_id", *KUAIRAND_USER), "user_features_pure.csv")
    columns = ("video_id", "video_type", "upload_type", "music_type", "tag", "video_duration")
    items = read_columns(archive, columns, "video_features_basic_pure.csv")
    items["tag"] = items["tag"].str.partition(",")[0]  # the first of a list
    items["video_duration"] = np.log1p(pd.to_numeric(items["video_duration"], errors="coerce"))
    known = users.set_index("user_id"), items.set_index("video_id")
    return Log(rows.reset_index(drop=True), KUAIRAND_TASKS, *known, ("hour", "tab"))


def _kuairand_log(archive: Path, name: str, keys: tuple[str, ...]) -> pd.DataFrame:
    log = read_columns(archive, keys, name)
    where = archive / name
    rows = pd.DataFrame({"user": log["user_id"], "item": log["video_id"], "tab": log["tab"]})
    rows["time"] = numbers(where, log["time_ms"], "time_ms", 2)
    rows["hour"] = log["hourmin"].str.zfill(4).str[:2]
    for task in KUAIRAND_TASKS:
        wrong = ~log[task].isin(["0", "1"]).to_numpy()
        refuse(where, wrong, log[task], 2, f"{task} must be 0 or 1")
        rows[task] = (log[task] == "1").astype(float)
    return rows


def _census(paths: Mapping[str, Path]) -> Log:
    parts = [_census_file(paths[name]) for name in ("train", "test")]
    rows = pd.concat(parts, ignore_index=True)
    test = np.arange(len(rows)) >= len(parts[0])
    context = tuple(name for name in CENSUS_HEADER if name not in CENSUS_UNUSED)
    return Log(rows, ("income", "never married"), context=context, test=test)


def _census_file(path: Path) -> pd.DataFrame:
    rows = read_columns(path, CENSUS_HEADER, header=CENSUS_HEADER)
    for name in CENSUS_NUMBERS:
        rows[name] = numbers(path, rows[name], name, 1).astype(float)
    wrong = ~rows["income_50k"].isin(["- 50000.", "50000+."]).to_numpy()
    allowed = "the last column must be '- 50000.' or '50000+.'"
    refuse(path, wrong, rows["income_50k"], 1, allowed)
    rows["income"] = (rows["income_50k"] == "50000+.").astype(float)
    rows["never married"] = (rows["marital_stat"] == "Never married").astype(float)
    return rows


READERS: dict[str, Callable[[Mapping[str, Path]], Log]] = {
    "ml-100k": _ml100k,
    "kuairand-pure": _kuairand,
    "census-income": _census,
}
