# `--config runs=recorded`: tables, figures and report are made of the runs that are kept in results/recorded,
# nothing is trained or measured, and what is not recorded is a gap. Output: results/from-recorded.
from elcrec.recorded.unpack import record_files

if RECORDED:

    rule unpack:
        input:
            record_files(CONFIG),
        output:
            sorted(UNPACKED),
        log:
            f"{OUTPUT}/logs/unpack.log",
        params:
            code=code_hash("elcrec.recorded.unpack"),
        shell:
            "{PYTHON} recorded unpack --config {SNAPSHOT:q} 2>&1 | tee {log:q}"

    ruleorder: unpack > train
    ruleorder: unpack > measure
    ruleorder: unpack > sensitivity
    ruleorder: unpack > released
