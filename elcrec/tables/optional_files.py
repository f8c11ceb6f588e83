"""From the run folders of ML-1M or MIND-small to the files of Tables 7 to 9."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from elcrec.atomic import write_text
from elcrec.config import Config, Efficiency
from elcrec.data.statistics import load_statistics
from elcrec.tables import optional, optional_statistics, optional_text, paper
from elcrec.tables.markdown import csv_text
from elcrec.tables.runs import Gap, RunRecord, load_runs


def configuration(config: Config, dataset: str) -> Config:
    """Return the configuration with this data set and the models of `optional` alone."""
    models = list(config.optional.models)
    return replace(config, use=[dataset], models=models, efficiency=Efficiency())


def runs(config: Config) -> tuple[list[RunRecord], list[Gap]]:
    """Read the runs that `configuration` spans; InputError for one that is not whole."""
    return load_runs(config.output, config.use, config.models, config.seeds)


def write(
    config: Config, records: Sequence[RunRecord], gaps: Sequence[Gap], folder: Path
) -> list[Path]:
    """Write the tables of the one data set in `config` to `folder`.

    Returns:
        The paths of the files.

    Raises:
        InputError: A run or a file of published numbers that is not right; nothing is written then.
    """
    dataset = config.use[0]
    texts = _accuracy(config, records, gaps)
    if dataset == "ml-1m":
        texts |= _statistics(config.sequences_file(dataset).parent / "statistics.json")
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in texts]


def _accuracy(config: Config, records: Sequence[RunRecord], gaps: Sequence[Gap]) -> dict[str, str]:
    dataset = config.use[0]
    name = f"table{optional.TABLES[dataset]}"
    released = paper.FOLDER / f"{name}_released.csv"
    table = optional.build(
        records,
        gaps,
        dataset=(dataset, config.dataset_name(dataset)),
        models={model: config.model_name(model) for model in config.models},
        paper=paper.load_accuracy(paper.FOLDER / f"{name}.csv"),
        protocol=config.protocol,
        released=paper.load_accuracy(released) if released.exists() else None,
    )
    return {
        f"{name}.csv": csv_text(optional.csv_rows(table)),
        f"{name}.md": optional_text.markdown(table),
        f"{name}.tex": optional_text.latex(table),
    }


def _statistics(path: Path) -> dict[str, str]:
    found = optional_statistics.rows(path, paper.load_accuracy(paper.FOLDER / "table7.csv"))
    format_ = str(load_statistics(path).get("format", "unknown"))
    return {
        "table7.csv": csv_text(found),
        "table7.md": optional_statistics.markdown(found, format_),
        "table7.tex": optional_statistics.latex(found, format_),
    }
