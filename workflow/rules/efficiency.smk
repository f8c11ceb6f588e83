# Tables 2 and 3: time and memory of runs that have the device to themselves.

# A cluster has no fixed number of cores and gives each job its own GPU: its profile says `gpu: 1`.
ALL_CORES = (
    None if workflow.remote_exec else workflow.resource_settings.cores
) or CONFIG.threads


rule measure:
    input:
        rules.prepare.output.sequences,
        start=lambda w: start_weights(w.dataset, w.model, CONFIG.efficiency.seed),
    output:
        f"{OUTPUT}/efficiency/{{dataset}}/{{model}}.json",
    log:
        f"{OUTPUT}/logs/measure/{{dataset}}-{{model}}.log",
    # Takes all cores and all GPUs, so that no other job of this workflow runs meanwhile.
    threads: ALL_CORES
    resources:
        gpu=ALL_GPUS,
        runtime=120,  # 11 epochs by default: 20 minutes for the slowest on two cores
        mem_mb=TRAINING_MB,
    params:
        code=training_code,
        settings=settings,
        threads=CONFIG.threads,
        seed=CONFIG.efficiency.seed,
        epochs=CONFIG.efficiency.epochs,
    shell:
        "{PYTHON} measure --dataset {wildcards.dataset:q} --model {wildcards.model:q}"
        " --seed {params.seed} --epochs {params.epochs} --config {SNAPSHOT:q}"
        " --threads {params.threads} --output {output:q} 2>&1 | tee {log:q}"


def measurements():
    """The records of rule measure; with `runs: recorded` those that are kept."""
    return available(
        f"{source(CONFIG, 'efficiency', dataset)}/efficiency/{dataset}/{model}.json"
        for dataset in CONFIG.use
        for model in CONFIG.efficiency.models
    )
