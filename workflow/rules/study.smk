# What the clustering does: snakemake study --configfile workflow/config/study.yaml


def with_genres():
    """Tables of the data sets whose items have attributes; the attributes are stored beside them."""
    known = [
        d
        for d in CONFIG.use
        if d in CONFIG.industrial.datasets
        and "item" in CONFIG.industrial.datasets[d].files
    ]
    return expand(rules.industrial_prepare.output, dataset=known)


rule study_table:
    input:
        RUN_FILES,
        TABLE_TEMPLATES,
        with_genres(),
        expand(rules.prepare.output.sequences, dataset=CONFIG.use),
    output:
        expand(f"{OUTPUT}/tables/study.{{kind}}", kind=["csv", "md", "tex"]),
    log:
        f"{OUTPUT}/logs/study.log",
    params:
        code=code_hash("elcrec.tables.study"),
        runs=TABLE_RUNS,
    shell:
        "{PYTHON} table study --config {SNAPSHOT:q} --output {OUTPUT:q}/tables 2>&1 | tee {log:q}"


rule study:
    input:
        rules.study_table.output,
        rules.report.output,
