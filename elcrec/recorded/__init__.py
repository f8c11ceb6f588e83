"""Recorded runs: finished runs of the full protocol, kept in git.

`results/recorded/<machine>/` is laid out like an output folder:

- runs/<dataset>/<model>/<seed>/            metrics.json, ranks.npz, history.csv, config.yaml,
                                            environment.json; intents.npz of the run in
                                            single-run figures and, with the vectors of a few
                                            users only, of a study's runs
- sensitivity/<dataset>/<variant>/<seed>/   the same
- efficiency/<dataset>/<model>.json         measurements for Tables 2 and 3, of runs alone on the
                                            device
- released/<dataset>/<model>.json           checks of the authors' published weights there
- README.md                                 the machine, the runs and their commands

`elcrec recorded add` puts runs there, also from the record of another checkout; with
`--config runs=recorded` tables, figures and report read them there (`elcrec.runs.places`), and
`elcrec recorded readme` writes the results sections of the README and docs/results.md.
"""
