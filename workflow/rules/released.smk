# Results of the authors' published weights with our evaluator: snakemake released_weights
RELEASED = {(entry.model, entry.dataset): entry for entry in CONFIG.released_weights}


RELEASED_RECORDS = available(
    f"{source(CONFIG, 'released', dataset)}/released/{dataset}/{model}.json"
    for model, dataset in RELEASED
)


rule fetch_weights:
    output:
        f"{DATA}/released/{{file}}.pt",
    log:
        f"{DATA}/logs/fetch-{{file}}.log",
    params:
        entry=lambda w: [
            e for e in config["released_weights"] if e["file"] == f"{w.file}.pt"
        ],
    shell:
        "{PYTHON} verify fetch --file {wildcards.file}.pt --config {SNAPSHOT:q}"
        " --output {DATA:q}/released 2>&1 | tee {log:q}"


rule released:
    input:
        weights=lambda w: f"{DATA}/released/{RELEASED[w.model, w.dataset].name}",
        sequences=rules.prepare.output.sequences,
    output:
        f"{OUTPUT}/released/{{dataset}}/{{model}}.json",
    log:
        f"{OUTPUT}/logs/released-{{dataset}}-{{model}}.log",
    resources:
        gpu=GPU_PER_JOB,
        runtime=30,  # one evaluation: seconds
        mem_mb=TRAINING_MB,
    params:
        code=code_hash("elcrec.cli.verify"),
        settings=settings,
        protocol=CONFIG.protocol,
    shell:
        "{PYTHON} verify released --dataset {wildcards.dataset:q} --model {wildcards.model:q}"
        " --weights {input.weights:q} --protocol {params.protocol} --config {SNAPSHOT:q}"
        " --output {output:q} 2>&1 | tee {log:q}"


rule released_weights:
    input:
        TABLE_TEMPLATES,
        records=RELEASED_RECORDS,
    output:
        expand(f"{OUTPUT}/tables/released.{{kind}}", kind=["csv", "md", "tex"]),
    log:
        f"{OUTPUT}/logs/released.log",
    params:
        code=code_hash("elcrec.tables.released"),
    shell:
        "{PYTHON} table released {input.records:q} --output {OUTPUT:q}/tables --config {SNAPSHOT:q} 2>&1 | tee {log:q}"
