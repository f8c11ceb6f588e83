# When a job fails, the others continue (keep-going in the profile), jobs that may fail for external reasons are
# retried (retries in the profile), and at the end tables and report are made with gaps that give the reason.
WITH_GAPS = (
    "accuracy",
    "verdict",
    "activity",
    "lists",
    "sampled",
    "use",
    "efficiency",
    "study_table",
    "report",
)
TRIED_AGAIN = {
    "fetch",
    "fetch_weights",
    "prepare",
    "train",
    "sensitivity",
    "measure",
    "try_point",
    "released",
    "industrial_prepare",
    "industrial_train",
}

for known in workflow.rules:
    if known.name not in TRIED_AGAIN:
        known.restart_times = 0  # a table that rejects its input would reject it again


def waiting_for_input():
    """Requested table and report jobs whose input is missing because another job failed."""
    jobs = [job for job in workflow.dag.needrun_jobs() if job.rule.name in WITH_GAPS]
    jobs.sort(key=lambda job: WITH_GAPS.index(job.rule.name))
    return [job for job in jobs if not all(Path(path).exists() for path in job.input)]


def make_with_gaps(job):
    """Make the output of such a job from what exists; returns whether that worked."""
    made = (
        subprocess.run(["bash", "-o", "pipefail", "-c", job.shellcmd]).returncode == 0
    )
    # Dated before any run: otherwise Snakemake would consider it finished and not retry the failed runs.
    runs = [os.path.getmtime(path) for path in RUN_FILES if Path(path).exists()]
    for path in filter(os.path.exists, job.output if runs else []):
        os.utime(path, (min(runs) - 1, min(runs) - 1))
    return made


onerror:
    # After Ctrl-C nobody waits for tables.
    interrupted = getattr(workflow.scheduler, "_user_kill", None)
    if not interrupted and any(Path(path).exists() for path in RUN_FILES):
        for job in waiting_for_input():
            where = ", ".join(job.output)
            if make_with_gaps(job):
                print(f"elcrec: made with gaps: {where}", file=sys.stderr)
            else:
                print(f"elcrec: not made: {where}", file=sys.stderr)
    print(
        "elcrec: run the same command again to retry what failed", file=sys.stderr
    )
