# The replication of ELCRec (NeurIPS 2024). Usage: snakemake --cores 8 all
# What to run is set in workflow/config/config.yaml, how to run it on this machine in workflow/profiles/.
from snakemake.utils import min_version

min_version("9.0")


configfile: f"{workflow.basedir}/workflow/config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/efficiency.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/released.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/grid.smk"
include: "workflow/rules/industrial.smk"
include: "workflow/rules/study.smk"
include: "workflow/rules/nightly.smk"
include: "workflow/rules/failures.smk"


# On a cluster these run where Snakemake runs: rules that need the network or take only seconds.
localrules:
    all,
    data,
    fetch,
    fetch_weights,
    data_statistics,
    tables,
    accuracy,
    verdict,
    activity,
    lists,
    sampled,
    use,
    efficiency,
    figures,
    figure,
    released_weights,
    grid,
    industrial_prepare,
    industrial_report,
    industrial,
    study_table,
    study,
    replication_check,
    report,


rule all:
    default_target: True
    input:
        rules.tables.input,
        rules.figures.input,
        RUN_FILES,
        rules.report.output,
