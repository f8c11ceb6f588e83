# Grid search on validation for what the papers leave open: snakemake grid
GRID = {
    (dataset, model): read_grid(CONFIG, model, dataset)
    for dataset in CONFIG.use
    for model in CONFIG.models
}


rule try_point:
    input:
        rules.prepare.output.sequences,
    output:
        f"{OUTPUT}/grid/{{dataset}}/{{model}}/{{point}}.json",
    log:
        f"{OUTPUT}/logs/grid/{{dataset}}-{{model}}-{{point}}.log",
    wildcard_constraints:
        point=r"\d+",
    threads: CONFIG.threads
    resources:
        gpu=GPU_PER_JOB,
        runtime=TRAINING_MINUTES,  # no checkpoints: must suffice for all epochs
        mem_mb=TRAINING_MB,
    params:
        code=training_code,
        settings=settings,
        point=lambda w: GRID[w.dataset, w.model].points[int(w.point) - 1],
        seed=CONFIG.seeds[0],
    shell:
        "{PYTHON} try --dataset {wildcards.dataset:q} --model {wildcards.model:q}"
        " --point {wildcards.point} --seed {params.seed} --config {SNAPSHOT:q}"
        " --threads {threads} --output {output:q} 2>&1 | tee {log:q}"


rule grid:
    input:
        TABLE_TEMPLATES,
        records=[
            f"{OUTPUT}/grid/{dataset}/{model}/{number}.json"
            for (dataset, model), grid in GRID.items()
            for number in range(1, len(grid.points) + 1)
        ],
    output:
        expand(f"{OUTPUT}/tables/grid.{{kind}}", kind=["csv", "md", "tex"]),
    log:
        f"{OUTPUT}/logs/grid.log",
    params:
        code=code_hash("elcrec.tables.grid"),
    shell:
        "{PYTHON} table grid {input.records:q} --output {OUTPUT:q}/tables --config {SNAPSHOT:q} 2>&1 | tee {log:q}"
