"""`elcrec table accuracy|efficiency|released|grid|headline`: from run folders to table files."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elcrec.options import add_config
from elcrec.tables import derived_commands

if TYPE_CHECKING:
    from elcrec.config import Config
    from elcrec.tables.accuracy import AccuracyTable

# Each command imports what it needs when it runs: `elcrec --help` must not wait for scipy.


def add_commands(subparsers: Any) -> None:
    """Add `table` with its commands to the parser of `elcrec`."""
    table = subparsers.add_parser("table", help="make the tables from finished runs")
    kinds = table.add_subparsers(dest="table", required=True, metavar="WHAT")
    accuracy = _add(kinds, "accuracy", run_accuracy, "Table 1 and the significance tests")
    efficiency = _add(kinds, "efficiency", run_efficiency, "Table 2 (time) and Table 3 (memory)")
    verdict = _add(kinds, "verdict", run_verdict, "whether ours agrees with each printed value")
    activity = _add(kinds, "activity", run_activity, "accuracy by length of the users' histories")
    for command in (accuracy, efficiency, verdict, activity):
        command.add_argument(
            "--any-code", action="store_true", help="take runs that other code made, too"
        )
    text = "size of the data sets as LaTeX, from their statistics.json"
    data = _add(kinds, "data-statistics", derived_commands.run_data_statistics, text)
    data.add_argument("files", nargs="+", type=Path, metavar="JSON")
    released = _add(kinds, "released", run_released, "what the authors' weights give")
    released.add_argument("files", nargs="+", type=Path, metavar="JSON")
    grid = _add(kinds, "grid", run_grid, "validation scores of the declared grids")
    grid.add_argument("files", nargs="+", type=Path, metavar="JSON")
    optional = _add(kinds, "optional", run_optional, "Tables 7 and 8 (ML-1M), 9 (MIND-small)")
    optional.add_argument("--dataset", required=True, choices=("ml-1m", "mind-small"))
    optional.add_argument(
        "--any-code", action="store_true", help="take runs that other code made, too"
    )
    _add(kinds, "headline", run_headline, "print HR@5 and NDCG@20 beside the paper's", False)


def run_accuracy(args: argparse.Namespace) -> None:
    """Write table1.csv, table1.md, table1.tex and significance.csv.

    Raises:
        InputError: A configuration, run folder or paper file that is not right.
    """
    from elcrec.atomic import write_text
    from elcrec.config import load_config
    from elcrec.tables import accuracy, accuracy_text, significance
    from elcrec.tables.markdown import csv_text

    config = load_config(args.config)
    table = _accuracy(config, args.any_code)
    folder = args.output or config.output / "tables"
    write_text(folder / "table1.csv", csv_text(accuracy.csv_rows(table)))
    tests = csv_text(accuracy.significance_rows(table), significance.COLUMNS)
    write_text(folder / "significance.csv", tests)
    write_text(folder / "table1.md", accuracy_text.markdown(table))
    write_text(folder / "table1.tex", accuracy_text.latex(table))


def run_verdict(args: argparse.Namespace) -> None:
    """Write verdict.csv and what belongs to it; errors as for `run_accuracy`."""
    from elcrec.config import load_config

    derived_commands.write_verdict(args, _accuracy(load_config(args.config), args.any_code))


def run_activity(args: argparse.Namespace) -> None:
    """Write activity.csv, activity.md and activity.tex; errors as for `run_accuracy`."""
    from elcrec.config import load_config

    derived_commands.write_activity(args, _accuracy(load_config(args.config), args.any_code))


def run_headline(args: argparse.Namespace) -> None:
    """Print the headline rows; errors as for `run_accuracy`."""
    from elcrec.config import load_config
    from elcrec.tables import accuracy_text

    print(accuracy_text.headline(_accuracy(load_config(args.config), any_code=True)), end="")


def run_efficiency(args: argparse.Namespace) -> None:
    """Write table2 and table3, each as CSV, Markdown and LaTeX.

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
        from elcrec.tables.present import refuse_other_code

        refuse_other_code(config, [*records, *runs])
    names = {
        "datasets": {i: config.dataset_name(i) for i in config.use},
        "models": {i: _model_name(config, i) for i in models},
    }
    printed = paper.load_efficiency()
    times = efficiency.time_table(records, runs, paper=printed, **names)
    memory = efficiency.memory_table(records, paper=printed, **names)
    notes = efficiency_text.notes(records, gaps, **names)
    trained = efficiency_text.training_notes(records, runs, absent, **names)
    notes_of_times = [*notes, *trained]
    folder = args.output or config.output / "tables"
    write_text(folder / "table2.csv", csv_text([dataclasses.asdict(row) for row in times]))
    text = efficiency_text.time_markdown(times, notes=notes_of_times, **names)
    write_text(folder / "table2.md", text)
    text = efficiency_text.time_latex(times, notes=notes_of_times, **names)
    write_text(folder / "table2.tex", text)
    write_text(folder / "table3.csv", csv_text([dataclasses.asdict(row) for row in memory]))
    write_text(folder / "table3.md", efficiency_text.memory_markdown(memory, notes=notes, **names))
    write_text(folder / "table3.tex", efficiency_text.memory_latex(memory, notes=notes, **names))


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


def run_optional(args: argparse.Namespace) -> None:
    """Write table8.* and table7.* (ML-1M) or table9.* (MIND-small) as CSV, Markdown and LaTeX.

    Raises:
        InputError: A configuration, run folder, record or paper file that is not right.
    """
    from elcrec.config import load_config
    from elcrec.tables import optional_files

    config = optional_files.configuration(load_config(args.config), args.dataset)
    records, gaps = optional_files.runs(config)
    if not args.any_code:
        from elcrec.tables.present import refuse_other_code

        refuse_other_code(config, records)
    optional_files.write(config, records, gaps, args.output or config.output / "tables")


def _add(kinds: Any, name: str, function: Any, text: str, writes: bool = True) -> Any:
    parser = kinds.add_parser(name, help=text, description=text)
    add_config(parser)
    if writes:
        parser.add_argument(
            "--output", type=Path, metavar="DIR", help="default: tables/ in the config's output"
        )
    parser.set_defaults(run=function)
    return parser


def _accuracy(config: Config, any_code: bool) -> AccuracyTable:
    from elcrec.tables import accuracy, paper
    from elcrec.tables.runs import load_runs

    records, gaps = load_runs(config.output, config.use, config.models, config.seeds)
    if not any_code:
        from elcrec.tables.present import refuse_other_code

        refuse_other_code(config, records)
    return accuracy.build(
        records,
        gaps,
        datasets={i: config.dataset_name(i) for i in config.use},
        models={i: config.model_name(i) for i in config.models},
        paper=paper.load_accuracy(),
        protocol=config.protocol,
    )


def _model_name(config: Config, model: str) -> str:
    """Display name; a record of a model that the configuration does not know keeps its id."""
    from elcrec.errors import InputError

    try:
        return config.model_name(model)
    except InputError:
        return model
