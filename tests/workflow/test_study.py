"""snakemake study: what it plans, and a small one from the data to the figure."""

from elcrec import ROOT
from tests.workflow.make_tiny import write
from tests.workflow.test_failures import NO_FIGURES
from tests.workflow.test_workflow import jobs, snakemake

CONFIGS = ROOT / "workflow" / "config"
MODELS = 17


def planned(*configs) -> dict[str, int]:
    files = ("--configfile", *map(str, configs))
    done = snakemake("study", *files, "--dry-run", "--quiet", "reason", "--forceall")
    assert done.returncode == 0, done.stderr
    return jobs(done.stdout)


def test_what_is_planned():
    dense = planned(CONFIGS / "study.yaml")
    assert (dense["train"], dense["study_table"], dense["figure"]) == (5 * MODELS, 1, 6)
    assert dense["report"] == 1
    assert "industrial_prepare" not in dense
    films = planned(CONFIGS / "study.yaml", CONFIGS / "study-ml-100k.yaml")
    assert (films["train"], films["industrial_prepare"]) == (3 * MODELS, 1)
    whole = planned(CONFIGS / "study.yaml", CONFIGS / "study-beauty.yaml")
    assert whole["train"] == 7
    assert not {"sensitivity", "measure"} & (dense.keys() | films.keys())


def test_from_the_data_to_the_figure(tmp_path):
    models = ["elcrec", "elcrec_softmax", "iclrec_real"]
    small = {model: {"intents": 8} for model in models}
    figures = NO_FIGURES | {"snapshot_epochs": [0], "study": models}
    alone = {"models": [], "seed": 1, "epochs": 1}
    path = write(tmp_path, models=models, parameters=small, figures=figures, efficiency=alone)
    done = snakemake("study", "--configfile", str(path), "--cores", "2")
    assert done.returncode == 0, done.stderr
    results = tmp_path / "results"
    assert "ELCRec (softmax)" in (results / "tables" / "study.md").read_text()
    assert (results / "figures" / "study-tiny.png").exists()
    page = (results / "report" / "index.html").read_text()
    assert '<table id="study"' in page
    assert 'id="figure-study-tiny"' in page
