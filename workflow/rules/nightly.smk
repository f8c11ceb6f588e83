# The nightly check: snakemake replication_check. It fails if a cell is not what was recorded.


def runs_of_check(wildcards):
    """Metrics of the runs, if there are recorded ones that they can be compared with."""
    # It imports pandas, which no other rule waits for
    from elcrec.nightly.check import references

    try:
        references(CONFIG)
    except InputError as error:
        sys.exit(f"elcrec: {error}")
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
