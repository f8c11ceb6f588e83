# When a job fails: the others go on (keep-going in the profile), what may fail from outside is tried again
# (retries in the profile), and in the end tables and report are made with gaps that say the reason.
import time

TABLES_OF_RUNS = ("accuracy", "verdict", "activity", "efficiency")
TRIED_AGAIN = {
    "fetch",
    "fetch_weights",
    "prepare",
    "train",
    "sensitivity",
    "measure",
    "try_point",
    "released",
}

for known in workflow.rules:
    if known.name not in TRIED_AGAIN:
        known.restart_times = 0  # a table that refuses its input would refuse it again


def run_folders():
    """Folders of all runs of this configuration."""
    return [
        CONFIG.run_folder(dataset, model, seed)
        for dataset in CONFIG.use
        for model in CONFIG.models
        for seed in CONFIG.seeds
    ]


def failed_runs():
    """Folders of the runs that failed, with the reason."""
    from elcrec.tables.runs import NOT_YET_RUN, failure

    absent = [f for f in run_folders() if not (f / "metrics.json").exists()]
    reasons = {folder: failure(folder) for folder in absent}
    return {f: reason for f, reason in reasons.items() if reason != NOT_YET_RUN}


def make_with_gaps():
    """Make tables and report of the runs that are there: no rule can, for its input is not there."""
    begin = time.time()
    for command in (*[f"table {name}" for name in TABLES_OF_RUNS], "report"):
        made = f"{PYTHON} {command} --config {shlex.quote(SNAPSHOT)}"
        subprocess.run(made, shell=True, check=False)
    # Older than any run, or else Snakemake would take them for finished and not try the failed runs again.
    runs = [folder / "metrics.json" for folder in run_folders()]
    oldest = min(path.stat().st_mtime for path in runs if path.exists())
    for path in [*Path(OUTPUT, "tables").iterdir(), Path(OUTPUT, "report/index.html")]:
        if path.exists() and path.stat().st_mtime >= begin:
            os.utime(path, (oldest - 1, oldest - 1))


onerror:
    failed = failed_runs()
    for folder, reason in failed.items():
        print(f"elcrec: {folder}: {reason}", file=sys.stderr)
    if failed and any((f / "metrics.json").exists() for f in run_folders()):
        make_with_gaps()
        print(
            f"elcrec: {len(failed)} runs failed, which tables and report show as gaps: {OUTPUT}/tables,"
            f" {OUTPUT}/report/index.html; the same command tries them again",
            file=sys.stderr,
        )
