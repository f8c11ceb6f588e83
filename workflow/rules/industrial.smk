# The industrial part of the paper on public data: snakemake industrial
INDUSTRIAL = f"{OUTPUT}/industrial"
INDUSTRIAL_DATASETS = "|".join(map(re.escape, CONFIG.industrial.datasets))
INDUSTRIAL_RUNS = [
    f"{INDUSTRIAL}/runs/{dataset}/{model}/{seed}/metrics.json"
    for dataset in CONFIG.industrial.use
    for model in CONFIG.industrial.models(dataset)
    for seed in CONFIG.industrial.seeds
]


rule industrial_prepare:
    # sources.json is not an output: Snakemake would delete it before the job runs again, and the origin of files
    # that exist already would be lost.
    output:
        f"{DATA}/industrial/{{dataset}}/table.npz",
    log:
        f"{DATA}/logs/industrial-{{dataset}}.log",
    wildcard_constraints:
        dataset=INDUSTRIAL_DATASETS,
    resources:
        runtime=60,
        mem_mb=16000,  # KuaiRand-Pure is read into memory as a whole; not measured
    params:
        code=fingerprint("elcrec.industrial.features", ()),
        entry=lambda w: json.dumps(
            config["industrial"]["datasets"][w.dataset], sort_keys=True
        ),
        shares=[CONFIG.industrial.train, CONFIG.industrial.valid],
    shell:
        "{PYTHON} industrial prepare --dataset {wildcards.dataset:q} --config {SNAPSHOT:q} 2>&1 | tee {log:q}"


rule industrial_train:
    input:
        rules.industrial_prepare.output,
    output:
        expand(
            f"{INDUSTRIAL}/runs/{{{{dataset}}}}/{{{{model}}}}/{{{{seed}}}}/{{name}}",
            name=[
                "metrics.json",
                "predictions.npz",
                "history.csv",
                "environment.json",
                "weights.safetensors",
            ],
        ),
    log:
        f"{INDUSTRIAL}/logs/{{dataset}}-{{model}}-{{seed}}.log",
    wildcard_constraints:
        dataset=INDUSTRIAL_DATASETS,
    threads: CONFIG.threads
    resources:
        gpu=GPU_PER_JOB,
        runtime=TRAINING_MINUTES,
        mem_mb=TRAINING_MB,
    params:
        code=fingerprint("elcrec.industrial.training", ()),
        network=repr(CONFIG.industrial.network),
    shell:
        "{PYTHON} industrial train --dataset {wildcards.dataset:q} --model {wildcards.model:q}"
        " --seed {wildcards.seed} --force --config {SNAPSHOT:q} --threads {threads} 2>&1 | tee {log:q}"


rule industrial_report:
    input:
        TABLE_TEMPLATES,
        FIGURE_TEMPLATES,
        INDUSTRIAL_RUNS,
        paper=expand(
            f"{workflow.basedir}/workflow/paper/table{{number}}.csv", number=[3, 4]
        ),
        templates=sorted(
            str(p) for p in Path(workflow.basedir, "elcrec/report/templates").iterdir()
        ),
    output:
        f"{INDUSTRIAL}/index.html",
        expand(f"{INDUSTRIAL}/tables/industrial.{{kind}}", kind=["csv", "md", "tex"]),
    log:
        f"{INDUSTRIAL}/logs/report.log",
    params:
        code=code_hash("elcrec.industrial.page"),
        asked=repr(CONFIG.industrial),
    shell:
        "{PYTHON} industrial report --config {SNAPSHOT:q} 2>&1 | tee {log:q}"


rule industrial:
    input:
        INDUSTRIAL_RUNS,  # so that a missing run is made even if the page exists
        rules.industrial_report.output,
