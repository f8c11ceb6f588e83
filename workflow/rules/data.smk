# Fetch, 5-core filter, statistics.


def local_files(wildcards):
    """The user's own files that a data set names: a change prepares it again."""
    paths = [source.path for source in CONFIG.dataset(wildcards.dataset).places]
    return [path for path in paths if path and path.exists()]


rule fetch:
    input:
        local_files,
    output:
        f"{DATA}/{{dataset}}/source.json",
    log:
        f"{DATA}/logs/fetch-{{dataset}}.log",
    params:
        entry=lambda w: json.dumps(config["datasets"][w.dataset], sort_keys=True),
    shell:
        "{PYTHON} data fetch --dataset {wildcards.dataset:q} --config {SNAPSHOT:q}"
        " --output {DATA:q}/{wildcards.dataset:q} 2>&1 | tee {log:q}"


rule prepare:
    input:
        rules.fetch.output,
    output:
        sequences=f"{DATA}/{{dataset}}/sequences.txt",
        statistics=f"{DATA}/{{dataset}}/statistics.json",
        ids=multiext(f"{DATA}/{{dataset}}/", "users.csv", "items.csv"),
    log:
        f"{DATA}/logs/prepare-{{dataset}}.log",
    resources:
        runtime=60,
        mem_mb=8000,  # raw reviews are read into memory as a whole; not measured
    params:
        code=PREPARATION,
        entry=lambda w: json.dumps(config["datasets"][w.dataset], sort_keys=True),
    shell:
        "{PYTHON} data prepare --dataset {wildcards.dataset:q} --config {SNAPSHOT:q}"
        " --output {DATA:q}/{wildcards.dataset:q} 2>&1 | tee {log:q}"


DATA_STATISTICS = expand(
    f"{OUTPUT}/tables/data_statistics.{{kind}}", kind=["csv", "md", "tex"]
)


rule data:
    input:
        DATA_STATISTICS,
