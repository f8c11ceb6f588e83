# The nightly check: snakemake replication_check. It fails if a cell is not what was recorded.


def runs_of_check(wildcards):
    """Metrics of the runs, if there is a record that they can be compared with."""
    nightly, recorded = CONFIG.nightly, CONFIG.replaced(runs="recorded")
    try:
        pairs = [(d, m) for d in nightly.use for m in nightly.models]
        places = [
            source(recorded, "runs", *pair) / "runs" / Path(*pair) for pair in pairs
        ]
    except InputError as error:
        sys.exit(f"elcrec: {error}")
    if not any(place.is_dir() for place in places):
        what = f"no run of {', '.join(nightly.models)} on {', '.join(nightly.use)} to compare with"
        sys.exit(
            f"elcrec: {CONFIG.recorded}: has {what}; change nightly, or record one"
        )
    return expand(
        run_file("metrics.json"),
        dataset=CONFIG.nightly.use,
        model=CONFIG.nightly.models,
        seed=CONFIG.nightly.seeds,
    )


rule replication_check:
    input:
        runs_of_check,
    log:
        f"{OUTPUT}/logs/replication_check.log",
    # The verdict is no `output`: Snakemake would remove that of a check that fails, and it is to be read then.
    params:
        verdict=f"{OUTPUT}/replication_check.json",
    shell:
        "{PYTHON} nightly check --config {SNAPSHOT:q} --output {params.verdict:q} 2>&1 | tee {log:q}"
