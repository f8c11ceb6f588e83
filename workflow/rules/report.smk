# The replication report: one page from all tables, figures and run records that exist.
# Works on partial results, too: elcrec report --config ..., with gaps where something is missing.


def report_extras(wildcards):
    """The study's table if the configuration has a study, and results of optional targets if they exist.

    For recorded runs: the recorded results of the released weights, and the findings on cells and rules.
    """
    study = list(rules.study_table.output) if CONFIG.figures.study else []
    if RECORDED:
        said = study + sorted(str(path) for path in CONFIG.recorded.glob("*.csv"))
        return said + (list(rules.released_weights.output) if RELEASED_RECORDS else [])
    names = ["released.csv", "grid.csv"]
    paths = [Path(OUTPUT) / "tables" / name for name in names]
    return study + [str(path) for path in paths if path.exists()]


rule report:
    input:
        rules.tables.input,
        RUN_FILES,
        rules.figures.input,
        report_extras,
        TABLE_TEMPLATES,
        expand(rules.prepare.output.sequences, dataset=CONFIG.use),
        paper=sorted(
            str(p) for p in Path(workflow.basedir, "workflow/paper").glob("*.csv")
        ),
        findings=f"{workflow.basedir}/docs/findings.md",
        templates=sorted(
            str(p) for p in Path(workflow.basedir, "elcrec/report/templates").iterdir()
        ),
    output:
        f"{OUTPUT}/report/index.html",
    log:
        f"{OUTPUT}/logs/report.log",
    params:
        code=code_hash("elcrec.report.page"),
        runs=[CONFIG.use, CONFIG.models, CONFIG.seeds],
    shell:
        "{PYTHON} report --config {SNAPSHOT:q} --output {output:q} 2>&1 | tee {log:q}"
