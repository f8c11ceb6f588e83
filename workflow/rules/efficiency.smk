# Tables 2 and 3: time and memory of runs that are alone on the device.


rule measure:
    input:
        rules.prepare.output.sequences,
    output:
        f"{OUTPUT}/efficiency/{{dataset}}/{{model}}.json",
    params:
        code=training_code,
        settings=settings,
        threads=CONFIG.threads,
        seed=CONFIG.efficiency.seed,
        epochs=CONFIG.efficiency.epochs,
    # All cores and all GPUs are taken, so that no other job of this workflow runs meanwhile.
    threads: workflow.cores or 1
    resources:
        gpu=ALL_GPUS,
    log:
        f"{OUTPUT}/logs/measure/{{dataset}}-{{model}}.log",
    shell:
        "{PYTHON} measure --dataset {wildcards.dataset} --model {wildcards.model}"
        " --seed {params.seed} --epochs {params.epochs} --config {SNAPSHOT}"
        " --threads {params.threads} --output {output} 2>&1 | tee {log}"
