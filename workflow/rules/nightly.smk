# The nightly check: snakemake replication_check. It fails if a cell differs from the record.


def runs_of_check(wildcards):
    """Metrics of the runs, if there are recorded runs to compare them with."""
    # Imported here because it loads pandas, which no other rule needs
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
    # The verdict is not an `output`: Snakemake would delete it if the check fails, just when it is needed.
    params:
        verdict=f"{OUTPUT}/replication_check.json",
    shell:
        "{PYTHON} nightly check --config {SNAPSHOT:q} --output {params.verdict:q} 2>&1 | tee {log:q}"
