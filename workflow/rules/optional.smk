# Tables 7 and 8 (ML-1M) and 9 (MIND-small): snakemake ml_1m, mind_small, or optional for both.
# `all` needs none of them, so it never fetches these data sets; with `optional: {with_all: true}` it makes
# those whose data set is prepared already.


def optional_runs(dataset):
    """The records of the runs that the table of a data set shows."""
    return run_files([dataset], CONFIG.optional.models)


def optional_tables(*numbers):
    return expand(
        f"{OUTPUT}/tables/table{{number}}.{{kind}}",
        number=numbers,
        kind=["csv", "md", "tex"],
    )


def paper_tables(*names):
    return expand(f"{workflow.basedir}/workflow/paper/{{name}}.csv", name=names)


rule ml_1m:
    input:
        optional_runs("ml-1m"),
        f"{DATA}/ml-1m/statistics.json",
        paper=paper_tables("table7", "table8", "table8_released"),
    output:
        optional_tables(7, 8),
    log:
        f"{OUTPUT}/logs/ml-1m.log",
    params:
        code=code_hash("elcrec.tables.tables8_9_files"),
        runs=[CONFIG.optional.models, CONFIG.seeds],
    shell:
        "{PYTHON} table optional --dataset ml-1m --config {SNAPSHOT:q}"
        " --output {OUTPUT:q}/tables 2>&1 | tee {log:q}"


rule mind_small:
    input:
        optional_runs("mind-small"),
        paper=paper_tables("table9"),
    output:
        optional_tables(9),
    log:
        f"{OUTPUT}/logs/mind-small.log",
    params:
        code=code_hash("elcrec.tables.tables8_9_files"),
        runs=[CONFIG.optional.models, CONFIG.seeds],
    shell:
        "{PYTHON} table optional --dataset mind-small --config {SNAPSHOT:q}"
        " --output {OUTPUT:q}/tables 2>&1 | tee {log:q}"


rule optional:
    input:
        rules.ml_1m.output,
        rules.mind_small.output,


localrules:
    optional,


def optional_with_all():
    """What `all` makes of these tables: nothing by default, and never what needs the network."""
    tables = {"ml-1m": rules.ml_1m.output, "mind-small": rules.mind_small.output}
    return [
        path
        for dataset, paths in tables.items()
        if CONFIG.optional.with_all
        and not RECORDED
        and CONFIG.sequences_file(dataset).exists()
        for path in paths
    ]
