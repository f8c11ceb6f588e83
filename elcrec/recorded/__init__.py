"""Recorded runs: finished runs of the full protocol, kept in git in a compact form.

`results/recorded/<machine>/` holds

- runs.csv         a line per run: metrics, epochs, seconds, memory, device, commit, command
- ranks/           the rank of every user's target, valid and test
- history/         a row per epoch
- intents/         users and intents of the runs that the figures of one run show
- efficiency/      measurements for Tables 2 and 3, of runs that were alone on the device
- released/        what the authors' published weights give there
- README.md        the machine, the runs and their commands, written from runs.csv

`elcrec recorded add` puts runs there, `elcrec recorded import` those of another checkout's record,
`--config runs=recorded` makes tables, figures and report of them, and `elcrec recorded readme`
writes the README's section of results.
"""
