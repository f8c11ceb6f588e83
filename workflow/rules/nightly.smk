# The nightly check: snakemake replication_check. It fails if a cell is not what was recorded.


rule replication_check:
    input:
        expand(
            run_file("metrics.json"),
            dataset=CONFIG.nightly.use,
            model=CONFIG.nightly.models,
            seed=CONFIG.nightly.seeds,
        ),
    log:
        f"{OUTPUT}/logs/replication_check.log",
    # The verdict is no `output`: Snakemake would remove that of a check that fails, and it is to be read then.
    params:
        verdict=f"{OUTPUT}/replication_check.json",
    shell:
        "{PYTHON} nightly check --config {SNAPSHOT:q} --output {params.verdict:q} 2>&1 | tee {log:q}"
