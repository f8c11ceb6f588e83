"""Recorded runs: finished runs of the full protocol, kept in git.

`results/recorded/<machine>/` is laid out like an output folder:

- runs/<dataset>/<model>/<seed>/            metrics.json, ranks.npz, history.csv, config.yaml,
                                            environment.json; intents.npz of the run that the
                                            figures of one run show, and of a study's runs with
                                            the vectors of a few users
- sensitivity/<dataset>/<variant>/<seed>/   the same
- efficiency/<dataset>/<model>.json         measurements for Tables 2 and 3, of runs alone on the
                                            device
- released/<dataset>/<model>.json           what the authors' published weights give there
- README.md                                 the machine, the runs and their commands

`elcrec recorded add` puts runs there, those of another checkout's record too; with
`--config runs=recorded` tables, figures and report read them there (`elcrec.runs.places`), and
`elcrec recorded readme` writes the README's section of results.
"""
