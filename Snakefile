# The replication of ELCRec (NeurIPS 2024). Usage: snakemake --cores 8 all
# What is run is in workflow/config/config.yaml; how it is run on this machine in workflow/profiles/.
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
include: "workflow/rules/optional.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/grid.smk"
include: "workflow/rules/replication.smk"


localrules:
    all,
    data,
    tables,
    figures,
    released_weights,


rule all:
    default_target: True
    input:
        rules.tables.input,
        rules.figures.input,
        RUN_FILES,
        rules.report.output,
        optional_with_all(),
