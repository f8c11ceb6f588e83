"""The study's table: clusters by hand, traits of users, accuracy as Table 1 has it."""

import math

import numpy as np
import pandas as pd
import pytest

from elcrec.cli.main import main
from elcrec.data.sequences import parse_sequences
from elcrec.statistics.clusterings import above_chance
from elcrec.tables import study, table1
from tests.unit.figures.conftest import CENTERS, USERS, Made


@pytest.fixture
def made(tmp_path) -> Made:
    return Made(tmp_path)


def frame(made: Made) -> pd.DataFrame:
    table = table1.read(made.config, any_code=True)
    found = study.build(table, {"tiny": study.read_traits(made.config, "tiny")})
    return found.set_index("model")


def test_a_row_has_accuracy_clusters_and_the_difference(made):
    made.everything()
    found = frame(made)
    ours, other = found.loc["elcrec"], found.loc["iclrec"]
    assert list(found.index) == ["sasrec", "iclrec", "elcrec"]
    assert (ours["seeds"], ours["in_use"]) == (2, CENTERS)
    assert ours["largest_percent"] == pytest.approx(100 * (80 + 40 // 7 - 5) / USERS)
    assert ours["stability"] == pytest.approx(1)  # both seeds were given the same clusters
    assert ours["user_cosine"] == pytest.approx(1 - 0.5 / 2)  # of the tested epoch
    assert math.isnan(ours["relative_difference_percent"])
    assert other["relative_difference_percent"] == pytest.approx(0)
    assert math.isnan(other["in_use"])  # nothing was recorded of it
    assert math.isnan(ours["genre_bits"])
    table = table1.read(made.config, any_code=True)
    cell = table.cells["tiny", "NDCG@20", "elcrec"]
    assert (ours["NDCG@20"], ours["NDCG@20 low95"]) == (cell.mean, cell.low95)


def test_activity_is_told_from_clusters(made):
    folder = made.run("elcrec")
    assigned = made.intents(folder)["all_assigned"]
    groups = study.read_traits(made.config, "tiny")["activity"]
    assert frame(made).loc["elcrec", "activity_bits"] == pytest.approx(
        above_chance(assigned, groups)
    )
    assert math.isnan(frame(made).loc["elcrec", "stability"])  # a single seed


def test_a_users_genre_is_what_it_has_above_the_average(tmp_path):
    path = tmp_path / "ml-100k.item"
    rows = ["item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq"]
    rows += ["7\tA\t1990\tDrama", "8\tB\t1990\tDrama War", "9\tC\t1990\tComedy", "5\tD\t1990\tWar"]
    path.write_text("\n".join(rows) + "\n")
    sequences = parse_sequences(b"u 7 7 8 9\nv 9 9 9 7\nw 5 8 7 5\nx 7 7 7 7\n", "mine")
    found = study.genres(sequences, path, sequences.item_ids)
    names = ["Comedy", "Drama", "War"]
    # Shares of Comedy, Drama and War: u .2 .6 .2, v .75 .25 0, w 0 .4 .6, x 0 1 0.
    assert [names[i] for i in found] == ["Drama", "Comedy", "War", "Drama"]


def test_the_files_are_written_and_shown(made, capsys):
    made.everything()
    assert main(["table", "study", "--config", str(made.path), "--any-code"]) == 0
    folder = made.config.output / "tables"
    text = (folder / "study.md").read_text()
    assert "| Tiny     | ELCRec |     2 |" in text
    assert "Against ELCRec" in text
    assert "Missing: Popularity on Tiny, seeds 1, 2." in text
    assert list(pd.read_csv(folder / "study.csv").columns) == study.COLUMNS
    assert "\\begin{tabular}" in (folder / "study.tex").read_text()


def test_without_runs_there_is_an_empty_table(made):
    assert main(["table", "study", "--config", str(made.path)]) == 0
    assert pd.read_csv(made.config.output / "tables" / "study.csv").empty
    assert np.array_equal(study.build(table1.read(made.config, True), {}).columns, study.COLUMNS)
