"""Features: only of the past, only of the training period, and none of who is new."""

from dataclasses import replace

import numpy as np
import pytest

from elcrec.errors import InputError
from elcrec.industrial.features import GROUPS, SMOOTHING, SPLITS, _history, build
from elcrec.industrial.readers import read_log
from tests.unit.industrial.logs import RATINGS, census, many_ratings, ml100k

TRAIN, VALID = 0.5, 0.25
"""Of `RATINGS`: the first seven rows, three of them, the last three."""


def log_of(folder, ratings=RATINGS):
    return read_log("ml-100k", ml100k(folder, ratings))


def test_splits_follow_the_time_and_keep_a_moment_together(tmp_path):
    table = build("d", log_of(tmp_path), 0.5, 0.25)
    assert [SPLITS[place] for place in table.split] == ["train"] * 6 + ["valid"] * 3 + ["test"] * 4
    # With 7 of 13 rows the bound falls on time 70, which two rows have: both are later.
    assert (build("d", log_of(tmp_path), 0.6, 0.2).split[7:9] == 1).all()


def history(table, log, row: int) -> tuple[float, float]:
    """How many interactions the user of a row has by its features, and the share of `liked`."""
    learn = table.split == 0
    counts = np.zeros(len(learn))
    liked = np.zeros(len(learn))
    rows = log.rows
    for place in range(len(rows)):
        earlier = learn & (rows["user"] == rows["user"][place]).to_numpy()
        if learn[place]:
            earlier &= (rows["time"] < rows["time"][place]).to_numpy()
        counts[place] = earlier.sum()
        liked[place] = rows["liked"][earlier].sum()
    rate = rows["liked"][learn].mean()
    share = (liked + SMOOTHING * rate) / (counts + SMOOTHING)
    return _standardised(np.log1p(counts), learn)[row], _standardised(share, learn)[row]


def _standardised(values, learn):
    return (values - values[learn].mean()) / values[learn].std()


@pytest.mark.parametrize("row", range(len(RATINGS)))
def test_history_is_what_came_before_in_the_training_period(tmp_path, row):
    log = log_of(tmp_path)
    table = build("d", log, TRAIN, VALID)
    assert table.user_numbers[row, :2] == pytest.approx(history(table, log, row), abs=1e-5)


def test_a_label_is_not_among_its_own_features(tmp_path):
    """Turn one label of the training period: no earlier row sees it, nor the row itself."""
    row = 3  # user 1, item c, time 30
    turned = [(u, i, 1 if n == row else r, t) for n, (u, i, r, t) in enumerate(RATINGS)]
    before, after = (counts_of(tmp_path / str(n), r) for n, r in enumerate((RATINGS, turned)))
    changed = np.flatnonzero((before != after).any(1))
    assert row not in changed
    assert set(changed) == {6, 9}  # the later rows of the user


def counts_of(folder, ratings):
    """Counts of the user of each row."""
    log = log_of(folder, ratings)
    table = build("d", log, TRAIN, VALID)
    return _history(log.rows, "user", list(log.tasks), table.split == 0)[0].to_numpy()


def test_nothing_of_the_later_periods_is_in_any_feature(tmp_path):
    """Other labels after the training period leave every feature as it is."""
    later = [(u, i, r if n < 6 else 6 - r, t) for n, (u, i, r, t) in enumerate(RATINGS)]
    one, other = (
        build("d", log_of(tmp_path / str(n), r), TRAIN, VALID)
        for n, r in enumerate((RATINGS, later))
    )
    assert (one.labels != other.labels).any()
    for name in ("user_codes", "user_numbers", "codes", "numbers", "state_codes", "state_numbers"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert np.array_equal(one.activity, other.activity)


def test_who_is_purely_new_has_no_history(tmp_path):
    log = log_of(tmp_path)
    table = build("d", log, TRAIN, VALID)
    assert table.activity.tolist() == [3, 3, 0, 0]
    new = table.activity[table.user] == 0
    assert new.sum() == 5
    assert GROUPS[0] == "pure new"
    assert ((table.group == 0) == (table.activity == 0)).all()
    assert len(np.unique(table.user_numbers[new][:, :3], axis=0)) == 1  # all alike: the mean rate
    first = table.split == 0
    beginners = [0, 1, 2]  # the first interactions of users 1 and 2 had none before them either
    assert first[beginners].all()
    assert np.allclose(table.user_numbers[beginners][:, :3], table.user_numbers[new][0, :3])


def test_later_rows_have_the_users_state_at_the_end_of_the_training_period(tmp_path):
    table = build("d", log_of(tmp_path, many_ratings()), 0.5, 0.2)
    later = table.split > 0
    assert np.array_equal(table.user_numbers[later], table.state_numbers[table.user[later]])
    assert np.array_equal(table.user_codes[later], table.state_codes[table.user[later]])


def test_a_category_that_the_training_period_lacks_has_the_code_0(tmp_path):
    table = build("d", log_of(tmp_path), TRAIN, VALID)
    region = table.user_codes[:, 2]
    assert region[table.user == 3].tolist() == [0, 0]
    assert set(region[table.split == 0]) == {1, 2}
    assert table.user_sizes.tolist() == [3, 2, 3]


def test_groups_of_users_with_a_history_are_equally_large(tmp_path):
    table = build("d", log_of(tmp_path, many_ratings()), 0.5, 0.2)
    sizes = np.bincount(table.group, minlength=5)
    assert sizes[0] == (table.activity == 0).sum() > 0
    assert sizes[1:].max() - sizes[1:].min() <= 1
    means = [table.activity[table.group == place].mean() for place in range(5)]
    assert means == sorted(means)


def test_a_test_file_of_its_own_is_halved(tmp_path):
    table = build("d", read_log("census-income", census(tmp_path)), TRAIN, VALID)
    assert np.bincount(table.split).tolist() == [8, 4, 4]
    assert (table.split[:8] == 0).all()
    assert len(table.activity) == 0
    assert (table.user == -1).all()
    assert table.user_codes.shape == (16, 0)


def test_a_period_without_a_label_is_refused(tmp_path):
    with pytest.raises(InputError, match="data set d: of the 0 interactions in its valid period"):
        build("d", log_of(tmp_path), 0.5, 0.01)
    liked = [(*key, 5, time) if time > 80 else (*key, r, time) for *key, r, time in RATINGS]
    with pytest.raises(InputError, match=r"3 .* in its test period none or all are 'liked'"):
        build("d", log_of(tmp_path, liked), 0.5, 0.3)


def test_the_digest_tells_tables_apart_and_a_file_gives_the_same_table(tmp_path):
    table = build("d", log_of(tmp_path), TRAIN, VALID)
    table.write(tmp_path / "t.npz")
    again = type(table).read(tmp_path / "t.npz")
    assert again.digest() == table.digest()
    other = replace(table, labels=1 - table.labels)
    assert other.digest() != table.digest()
