# One training run: data set x model x seed.

# What a training requests from a cluster (on a single machine neither is enforced). Minutes: GPU times have not
# been measured; on two cores a run takes from minutes to 46 hours, so one attempt and five retries suffice for all,
# because a retry resumes from the checkpoint. Memory: 2.4 GB were seen on a CPU; CUDA needs more on the host.
TRAINING_MINUTES = 480
TRAINING_MB = 8000


def training_options(wildcards, resources):
    """`--force`, and perhaps an option that ends a training at a checkpoint `stop_early` minutes before its `runtime` is over.

    Only a profile sets `stop_early`. As this depends on resources, a change re-runs nothing. Snakemake has decided
    what to make before it calls the command, so the command may replace what other settings or code left behind.
    """
    early = resources.get("stop_early")
    return "--force" + (f" --time-limit {resources.runtime - early}" if early else "")


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
        weights=run_file("weights.safetensors"),
    log:
        f"{OUTPUT}/logs/train/{{dataset}}-{{model}}-{{seed}}.log",
    threads: CONFIG.threads
    resources:
        gpu=GPU_PER_JOB,
        runtime=TRAINING_MINUTES,
        mem_mb=TRAINING_MB,
    params:
        code=training_code,
        settings=settings,
        folder=lambda w, output: str(Path(output.metrics).parent),
        limit=training_options,
    shell:
        "{PYTHON} train --dataset {wildcards.dataset:q} --model {wildcards.model:q}"
        " --seed {wildcards.seed} --config {SNAPSHOT:q} --threads {threads}"
        " --output {params.folder:q} {params.limit} 2>&1 | tee {log:q}"
