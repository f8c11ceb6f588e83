"""snakemake industrial: from the files to the page, and nothing again."""

from tests.unit.industrial.logs import configuration, many_ratings, ml100k
from tests.workflow.test_workflow import jobs, snakemake


def planned(*arguments: str) -> dict[str, int]:
    done = snakemake("industrial", *arguments, "--dry-run", "--quiet", "reason")
    assert done.returncode == 0, done.stderr
    return jobs(done.stdout)


def test_from_the_files_to_the_page_and_then_nothing(tmp_path):
    path = configuration(tmp_path, "ml-100k", ml100k(tmp_path, many_ratings()), seeds=[1])
    config = ("--configfile", str(path))
    done = snakemake("industrial", *config, "--cores", "1")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "results" / "industrial"
    page = (folder / "index.html").read_text()
    assert all(f'id="industrial-{table}"' in page for table in ("tasks", "groups", "others"))
    assert page.count("data:image/png;base64,") == 2
    assert "4 finished, 0 missing" in page
    assert (folder / "tables" / "industrial.csv").exists()
    assert "Files: ml-100k.inter, the user" in page
    assert not planned(*config)
    (folder / "runs" / "mine" / "mmoe" / "1" / "metrics.json").unlink()
    missing = planned(*config)
    assert (missing["industrial_train"], missing["industrial_report"]) == (1, 1)
    assert "industrial_prepare" not in missing


def test_what_is_planned(tmp_path):
    path = tmp_path / "all.yaml"
    path.write_text("industrial: {use: [ml-100k, kuairand-pure, census-income]}\n")
    found = planned("--configfile", str(path), "--forceall")
    assert (found["industrial_prepare"], found["industrial_train"]) == (3, 5 * (4 + 4 + 2))
    assert not found.keys() & {"train", "fetch", "prepare", "report"}


def test_its_data_sets_are_none_of_the_replication():
    done = snakemake("results/data/kuairand-pure/sequences.txt", "--dry-run")
    assert done.returncode == 1
    assert "MissingRuleException" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
