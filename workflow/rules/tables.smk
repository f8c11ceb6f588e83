# Tables 1-3, what follows from Table 1, and accuracy by user activity: CSV, Markdown and LaTeX.
TABLE_RUNS = [CONFIG.use, CONFIG.models, CONFIG.seeds]
TABLE_RUNS += [repr(CONFIG.external)] if CONFIG.external else []
TABLE_RUNS += [CONFIG.metrics] if CONFIG.metrics else []
PRINTED = expand(
    f"{workflow.basedir}/workflow/paper/{{name}}.csv",
    name=["table1", "table8", "table8_released", "table9"],
)

TABLE_TEMPLATES = sorted(
    str(p) for p in Path(workflow.basedir, "elcrec/tables/templates").iterdir()
)


rule data_statistics:
    input:
        TABLE_TEMPLATES,
        records=expand(rules.prepare.output.statistics, dataset=CONFIG.use),
        paper=expand(
            f"{workflow.basedir}/workflow/paper/table{{number}}.csv", number=[6, 7]
        ),
    output:
        DATA_STATISTICS,
    log:
        f"{OUTPUT}/logs/data_statistics.log",
    params:
        code=code_hash("elcrec.tables.data_statistics"),
    shell:
        "{PYTHON} table data-statistics {input.records:q} --config {SNAPSHOT:q}"
        " --output {OUTPUT:q}/tables 2>&1 | tee {log:q}"


rule accuracy:
    input:
        RUN_FILES,
        EXTERNAL,
        TABLE_TEMPLATES,
        paper=PRINTED,
    output:
        csv=f"{OUTPUT}/tables/table1.csv",
        markdown=f"{OUTPUT}/tables/table1.md",
        latex=f"{OUTPUT}/tables/table1.tex",
        significance=f"{OUTPUT}/tables/significance.csv",
    log:
        f"{OUTPUT}/logs/table1.log",
    params:
        code=code_hash("elcrec.tables.table1_files"),
        runs=TABLE_RUNS,
    shell:
        "{PYTHON} table accuracy --config {SNAPSHOT:q} --output {OUTPUT:q}/tables 2>&1 | tee {log:q}"


rule verdict:
    input:
        RUN_FILES,
        EXTERNAL,
        paper=PRINTED,
    output:
        verdict=f"{OUTPUT}/tables/verdict.csv",
        nearest=f"{OUTPUT}/tables/nearest.csv",
        detectable=f"{OUTPUT}/tables/detectable.csv",
        impossible=f"{OUTPUT}/tables/impossible.csv",
    log:
        f"{OUTPUT}/logs/verdict.log",
    params:
        code=code_hash("elcrec.tables.verdict"),
        runs=TABLE_RUNS,
        seeds=CONFIG.seeds,
    shell:
        "{PYTHON} table verdict --config {SNAPSHOT:q} --output {OUTPUT:q}/tables 2>&1 | tee {log:q}"


rule activity:
    input:
        RUN_FILES,
        EXTERNAL,
        TABLE_TEMPLATES,
        expand(rules.prepare.output.sequences, dataset=CONFIG.use),
    output:
        expand(
            f"{OUTPUT}/tables/{{by}}{{kind}}",
            by=["activity", "popularity"],
            kind=[".csv", ".md", ".tex", "_leads.csv"],
        ),
    log:
        f"{OUTPUT}/logs/activity.log",
    params:
        code=code_hash("elcrec.tables.activity"),
        runs=TABLE_RUNS,
    shell:
        "{PYTHON} table activity --config {SNAPSHOT:q} --output {OUTPUT:q}/tables 2>&1 | tee {log:q}"


rule lists:
    input:
        RUN_FILES,
        EXTERNAL,
        TABLE_TEMPLATES,
        expand(rules.prepare.output.sequences, dataset=CONFIG.use),
    output:
        expand(f"{OUTPUT}/tables/lists.{{kind}}", kind=["csv", "md", "tex"]),
        f"{OUTPUT}/tables/overlap.csv",
    log:
        f"{OUTPUT}/logs/lists.log",
    params:
        code=code_hash("elcrec.tables.lists"),
        runs=TABLE_RUNS,
    shell:
        "{PYTHON} table lists --config {SNAPSHOT:q} --output {OUTPUT:q}/tables 2>&1 | tee {log:q}"


rule sampled:
    input:
        RUN_FILES,
        EXTERNAL,
        TABLE_TEMPLATES,
        expand(rules.prepare.output.sequences, dataset=CONFIG.use),
    output:
        expand(f"{OUTPUT}/tables/sampled.{{kind}}", kind=["csv", "md", "tex"]),
    log:
        f"{OUTPUT}/logs/sampled.log",
    params:
        code=code_hash("elcrec.tables.sampled"),
        runs=TABLE_RUNS,
    shell:
        "{PYTHON} table sampled --config {SNAPSHOT:q} --output {OUTPUT:q}/tables 2>&1 | tee {log:q}"


rule use:
    input:
        RUN_FILES,
        EXTERNAL,
        TABLE_TEMPLATES,
        # Written by `elcrec bench --serve`, if it was run
        [str(path) for path in [source(CONFIG) / "serve.json"] if path.exists()],
    output:
        expand(f"{OUTPUT}/tables/use.{{kind}}", kind=["csv", "md", "tex"]),
    log:
        f"{OUTPUT}/logs/use.log",
    params:
        code=code_hash("elcrec.tables.use"),
        runs=TABLE_RUNS,
    shell:
        "{PYTHON} table use --config {SNAPSHOT:q} --output {OUTPUT:q}/tables 2>&1 | tee {log:q}"


rule efficiency:
    input:
        RUN_FILES,
        TABLE_TEMPLATES,
        measurements(),
        paper=f"{workflow.basedir}/workflow/paper/efficiency.csv",
    output:
        expand(
            f"{OUTPUT}/tables/table{{number}}.{{kind}}",
            number=[2, 3],
            kind=["csv", "md", "tex"],
        ),
    log:
        f"{OUTPUT}/logs/efficiency.log",
    params:
        code=code_hash("elcrec.tables.tables2_3"),
        runs=TABLE_RUNS,
    shell:
        "{PYTHON} table efficiency --config {SNAPSHOT:q} --output {OUTPUT:q}/tables 2>&1 | tee {log:q}"


rule tables:
    input:
        rules.data_statistics.output,
        rules.accuracy.output,
        rules.verdict.output,
        rules.activity.output,
        rules.lists.output,
        rules.sampled.output,
        rules.use.output,
        rules.efficiency.output,
