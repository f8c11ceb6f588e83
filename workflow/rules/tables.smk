# Tables 1-3 as CSV and Markdown.


rule accuracy:
    input:
        RUN_FILES,
        paper=f"{workflow.basedir}/workflow/paper/table1.csv",
    output:
        csv=f"{OUTPUT}/tables/table1.csv",
        markdown=f"{OUTPUT}/tables/table1.md",
        significance=f"{OUTPUT}/tables/significance.csv",
    log:
        f"{OUTPUT}/logs/table1.log",
    params:
        code=code_hash("elcrec.tables.commands"),
        runs=[CONFIG.use, CONFIG.models, CONFIG.seeds],
    shell:
        "{PYTHON} table accuracy --config {SNAPSHOT:q} --output {OUTPUT:q}/tables 2>&1 | tee {log:q}"


rule efficiency:
    input:
        RUN_FILES,
        expand(rules.measure.output, dataset=CONFIG.use, model=CONFIG.efficiency.models),
        paper=f"{workflow.basedir}/workflow/paper/efficiency.csv",
    output:
        expand(
            f"{OUTPUT}/tables/table{{number}}.{{kind}}",
            number=[2, 3],
            kind=["csv", "md"],
        ),
    log:
        f"{OUTPUT}/logs/efficiency.log",
    params:
        code=code_hash("elcrec.tables.commands"),
        runs=[CONFIG.use, CONFIG.models, CONFIG.seeds],
    shell:
        "{PYTHON} table efficiency --config {SNAPSHOT:q} --output {OUTPUT:q}/tables 2>&1 | tee {log:q}"


rule tables:
    input:
        rules.data_statistics.output,
        rules.accuracy.output,
        rules.efficiency.output,
