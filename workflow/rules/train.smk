# One training run: data set x model x seed.


rule train:
    input:
        rules.prepare.output.sequences,
        start=lambda w: start_weights(w.dataset, w.model, w.seed),
    output:
        metrics=run_file("metrics.json"),
        ranks=run_file("ranks.npz"),
        history=run_file("history.csv"),
        config=run_file("config.yaml"),
        environment=run_file("environment.json"),
        weights=run_file("weights.pt"),
    log:
        f"{OUTPUT}/logs/train/{{dataset}}-{{model}}-{{seed}}.log",
    threads: CONFIG.threads
    resources:
        gpu=GPU_PER_JOB,
    params:
        code=training_code,
        settings=settings,
        folder=lambda w, output: str(Path(output.metrics).parent),
    shell:
        "{PYTHON} train --dataset {wildcards.dataset:q} --model {wildcards.model:q}"
        " --seed {wildcards.seed} --config {SNAPSHOT:q} --threads {threads}"
        " --output {params.folder:q} 2>&1 | tee {log:q}"
