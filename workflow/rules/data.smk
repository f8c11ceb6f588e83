# Fetch, 5-core filter, statistics.


rule fetch:
    output:
        f"{DATA}/{{dataset}}/source.json",
    log:
        f"{DATA}/logs/fetch-{{dataset}}.log",
    params:
        entry=lambda w: json.dumps(CONFIG.dataset(w.dataset), sort_keys=True),
    shell:
        "{PYTHON} data fetch --dataset {wildcards.dataset} --config {SNAPSHOT}"
        " --output {DATA}/{wildcards.dataset} 2>&1 | tee {log}"


rule prepare:
    input:
        rules.fetch.output,
    output:
        sequences=f"{DATA}/{{dataset}}/sequences.txt",
        statistics=f"{DATA}/{{dataset}}/statistics.json",
    log:
        f"{DATA}/logs/prepare-{{dataset}}.log",
    params:
        code=code_hash("elcrec.data.commands"),
    shell:
        "{PYTHON} data prepare --dataset {wildcards.dataset} --config {SNAPSHOT}"
        " --output {DATA}/{wildcards.dataset} 2>&1 | tee {log}"


rule data_statistics:
    input:
        expand(rules.prepare.output.statistics, dataset=CONFIG.use),
    output:
        f"{OUTPUT}/tables/data_statistics.csv",
        f"{OUTPUT}/tables/data_statistics.md",
    log:
        f"{OUTPUT}/logs/data_statistics.log",
    params:
        code=code_hash("elcrec.data.commands"),
    shell:
        "{PYTHON} data statistics --output {OUTPUT}/tables {input} 2>&1 | tee {log}"


rule data:
    input:
        rules.data_statistics.output,
