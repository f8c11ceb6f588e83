"""`elcrec table accuracy|efficiency|released|grid|headline`: from run folders to table files."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elcrec.options import add_config

if TYPE_CHECKING:
    from collections.abc import Sequence

    from elcrec.config import Config
    from elcrec.tables.accuracy import AccuracyTable
    from elcrec.tables.runs import Made

# Each command imports what it needs when it runs: `elcrec --help` must not wait for scipy.


def add_commands(subparsers: Any) -> None:
    """Add `table` with its commands to the parser of `elcrec`."""
    table = subparsers.add_parser("table", help="make the tables from finished runs")
    kinds = table.add_subparsers(dest="table", required=True, metavar="WHAT")
    accuracy = _add(kinds, "accuracy", run_accuracy, "Table 1 and the significance tests")
    efficiency = _add(kinds, "efficiency", run_efficiency, "Table 2 (time) and Table 3 (memory)")
    for command in (accuracy, efficiency):
        command.add_argument(
            "--any-code", action="store_true", help="take runs that other code made, too"
        )
    released = _add(kinds, "released", run_released, "what the authors' weights give")
    released.add_argument("files", nargs="+", type=Path, metavar="JSON")
    grid = _add(kinds, "grid", run_grid, "validation scores of the declared grids")
    grid.add_argument("files", nargs="+", type=Path, metavar="JSON")
    _add(kinds, "headline", run_headline, "print HR@5 and NDCG@20 beside the paper's", False)


def run_accuracy(args: argparse.Namespace) -> None:
    """Write table1.csv, table1.md and significance.csv.

    Raises:
        InputError: A configuration, run folder or paper file that is not right.
    """
    from elcrec.atomic import write_text
    from elcrec.config import load_config
    from elcrec.tables import accuracy, accuracy_text
    from elcrec.tables.markdown import csv_text

    config = load_config(args.config)
    table = _accuracy(config, args.any_code)
    folder = args.output or config.output / "tables"
    write_text(folder / "table1.csv", csv_text(accuracy.csv_rows(table)))
    write_text(folder / "significance.csv", csv_text(accuracy.significance_rows(table)))
    write_text(folder / "table1.md", accuracy_text.markdown(table))


def run_headline(args: argparse.Namespace) -> None:
    """Print the headline rows; errors as for `run_accuracy`."""
    from elcrec.config import load_config
    from elcrec.tables import accuracy_text

    print(accuracy_text.headline(_accuracy(load_config(args.config), any_code=True)), end="")


def run_efficiency(args: argparse.Namespace) -> None:
    """Write table2.csv, table2.md, table3.csv and table3.md.

    Raises:
        InputError: A configuration, record, run folder or paper file that is not right.
    """
    from elcrec.atomic import write_text
    from elcrec.config import load_config
    from elcrec.tables import efficiency, efficiency_text, paper
    from elcrec.tables.efficiency_runs import load_efficiency_runs
    from elcrec.tables.markdown import csv_text
    from elcrec.tables.runs import load_runs

    config = load_config(args.config)
    records, gaps = load_efficiency_runs(config.output, config.use, config.efficiency.models)
    models = efficiency.model_order([*config.efficiency.models, *(r.model for r in records)])
    runs, absent = load_runs(config.output, config.use, models, config.seeds)
    if not args.any_code:
        _refuse_other_code(config, [*records, *runs])
    names = {
        "datasets": {i: config.dataset_name(i) for i in config.use},
        "models": {i: _model_name(config, i) for i in models},
    }
    printed = paper.load_efficiency()
    times = efficiency.time_table(records, runs, paper=printed, **names)
    memory = efficiency.memory_table(records, paper=printed, **names)
    notes = efficiency_text.notes(records, gaps, **names)
    trained = efficiency_text.training_notes(records, runs, absent, **names)
    text = efficiency_text.time_markdown(times, notes=[*notes, *trained], **names)
    folder = args.output or config.output / "tables"
    write_text(folder / "table2.csv", csv_text([dataclasses.asdict(row) for row in times]))
    write_text(folder / "table2.md", text)
    write_text(folder / "table3.csv", csv_text([dataclasses.asdict(row) for row in memory]))
    write_text(folder / "table3.md", efficiency_text.memory_markdown(memory, notes=notes, **names))


def run_released(args: argparse.Namespace) -> None:
    """Write released.csv and released.md from the records of `elcrec verify released`."""
    from elcrec.atomic import write_text
    from elcrec.config import load_config
    from elcrec.tables import paper, released
    from elcrec.tables.markdown import csv_text

    config = load_config(args.config)
    datasets = {i: config.dataset_name(i) for i in config.datasets}
    models = {i: config.model_name(i) for i in ("elcrec", "iclrec")}
    found = released.rows(args.files, paper.load_accuracy(), datasets, models)
    folder = args.output or config.output / "tables"
    write_text(folder / "released.csv", csv_text([dataclasses.asdict(row) for row in found]))
    write_text(folder / "released.md", released.markdown(found))


def run_grid(args: argparse.Namespace) -> None:
    """Write grid.csv and grid.md from the records of `elcrec try`."""
    from elcrec.atomic import write_text
    from elcrec.config import load_config
    from elcrec.grid import read_grid
    from elcrec.tables import grid
    from elcrec.tables.markdown import csv_text

    config = load_config(args.config)
    found = grid.rows(args.files, lambda m, d, point: read_grid(config, m, d).in_use(point))
    folder = args.output or config.output / "tables"
    write_text(folder / "grid.csv", csv_text([row.as_csv() for row in found]))
    write_text(folder / "grid.md", grid.markdown(found))


def _add(kinds: Any, name: str, function: Any, text: str, writes: bool = True) -> Any:
    parser = kinds.add_parser(name, help=text, description=text)
    add_config(parser)
    if writes:
        parser.add_argument(
            "--output", type=Path, metavar="DIR", help="default: tables/ in the config's output"
        )
    parser.set_defaults(run=function)
    return parser


def _accuracy(config: Config, any_code: bool = False) -> AccuracyTable:
    from elcrec.tables import accuracy, paper
    from elcrec.tables.runs import load_runs

    records, gaps = load_runs(config.output, config.use, config.models, config.seeds)
    if not any_code:
        _refuse_other_code(config, records)
    return accuracy.build(
        records,
        gaps,
        datasets={i: config.dataset_name(i) for i in config.use},
        models={i: config.model_name(i) for i in config.models},
        paper=paper.load_accuracy(),
        protocol=config.protocol,
    )


def _refuse_other_code(config: Config, records: Sequence[Made]) -> None:
    """Refuse runs that the present code or settings did not make: their numbers may differ now."""
    from elcrec.errors import InputError
    from elcrec.fingerprint import fingerprint
    from elcrec.registry import module_reference, resolve
    from elcrec.tables.runs import stale_runs

    models = dict.fromkeys([*config.models, *config.efficiency.models])
    expected = {}
    for dataset in config.use:
        for model in models:
            settings = resolve(config, model, dataset)
            code = fingerprint(module_reference(settings))
            expected[dataset, model] = (code, settings.digest())
    stale = stale_runs(records, expected)
    if stale:
        first = stale[0]
        other = (
            "settings" if first.fingerprint == expected[first.dataset, first.model][0] else "code"
        )
        raise InputError(
            f"{first.dataset}/{first.model}: one of {len(stale)} runs that other {other} made than "
            "the present; "
            "run them again (snakemake --forcerun train), or allow them with --any-code"
        )


def _model_name(config: Config, model: str) -> str:
    """Display name; a record of a model that the configuration does not know keeps its id."""
    from elcrec.errors import InputError

    try:
        return config.model_name(model)
    except InputError:
        return model
