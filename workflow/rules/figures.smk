# Figures, and the trainings that only they need: ablation arms (rule train) and sensitivity runs.
import functools

from elcrec.figures.plan import plan
from elcrec.runs.plan import sensitivity_points

FIGURE_TEMPLATES = sorted(
    str(p) for p in Path(workflow.basedir, "elcrec/figures/templates").iterdir()
)
FIGURES = {
    figure.name: figure
    for figure in plan(CONFIG)
    if available(f"{folder}/metrics.json" for folder in figure.folders)
}
SENSITIVITY = {
    str(point.folder): point for point in sensitivity_points(CONFIG) if point.variant
}


def sensitivity_point(wildcards):
    """The point of the sensitivity analysis that a folder holds."""
    w = wildcards
    name = f"{OUTPUT}/sensitivity/{w.dataset}/{w.parameter}-{w.value}/{w.seed}"
    return SENSITIVITY[str(Path(name))]


def sensitivity_settings(wildcards):
    """Hash of the resolved settings of a sensitivity run: a change re-runs the training."""
    model = CONFIG.figures.sensitivity.model
    changes = sensitivity_point(wildcards).changes
    resolved = registry.resolve(CONFIG, model, wildcards.dataset, changes)
    return f"{CONFIG.protocol} {resolved.digest()}"


@functools.cache
def sensitivity_code(dataset):
    """Hash of the code that decides the run's numbers."""
    resolved = registry.resolve(CONFIG, CONFIG.figures.sensitivity.model, dataset)
    return fingerprint(registry.module_reference(resolved))


@functools.cache
def drawing_code(kind):
    """Hash of the code that draws a figure: a change draws it again, and trains nothing."""
    return code_hash(f"elcrec.figures.{kind}", "elcrec.figures.drawn")


def figure_inputs(wildcards):
    """Run files that a figure shows, and its other inputs."""
    figure = FIGURES[wildcards.figure]
    files = available(
        f"{folder}/{name}"
        for folder in figure.folders
        for name in ("metrics.json", "ranks.npz", "history.csv")
    )
    there = [p for p in figure.extras if Path(p).exists()]
    return [*files, *figure.inputs, *there]


def figure_options(wildcards):
    """Arguments of `elcrec figure`."""
    figure = FIGURES[wildcards.figure]
    dataset = f" --dataset {shlex.quote(figure.dataset)}" if figure.dataset else ""
    return figure.kind + dataset


rule sensitivity:
    input:
        rules.prepare.output.sequences,
    output:
        expand(
            f"{OUTPUT}/sensitivity/{{{{dataset}}}}/{{{{parameter}}}}-{{{{value}}}}/{{{{seed}}}}/{{name}}",
            name=[
                "metrics.json",
                "ranks.npz",
                "history.csv",
                "config.yaml",
                "environment.json",
                "weights.safetensors",
            ],
        ),
    log:
        f"{OUTPUT}/logs/sensitivity/{{dataset}}-{{parameter}}-{{value}}-{{seed}}.log",
    wildcard_constraints:
        parameter="[a-z]+",
        value="[^/]+",
    threads: CONFIG.threads
    resources:
        gpu=GPU_PER_JOB,
        runtime=TRAINING_MINUTES,
        mem_mb=TRAINING_MB,
    params:
        code=lambda w: sensitivity_code(w.dataset),
        settings=sensitivity_settings,
        model=CONFIG.figures.sensitivity.model,
        overrides=lambda w: " ".join(
            shlex.quote(f"{key}={json.dumps(value)}")
            for key, value in sensitivity_point(w).changes.items()
        ),
        folder=lambda w, output: str(Path(output[0]).parent),
        limit=training_options,
    shell:
        "{PYTHON} train --dataset {wildcards.dataset:q} --model {params.model:q}"
        " --seed {wildcards.seed} --set {params.overrides} --config {SNAPSHOT:q}"
        " --threads {threads} --output {params.folder:q} {params.limit} 2>&1 | tee {log:q}"


rule figure:
    input:
        figure_inputs,
        FIGURE_TEMPLATES,
    output:
        expand(
            f"{OUTPUT}/figures/{{{{figure}}}}.{{kind}}",
            kind=["png", "pdf", "csv", "json"],
        ),
    log:
        f"{OUTPUT}/logs/figure-{{figure}}.log",
    wildcard_constraints:
        figure="[^/]+",
    params:
        code=lambda w: drawing_code(FIGURES[w.figure].kind),
        shown=lambda w: [str(folder) for folder in FIGURES[w.figure].folders],
        options=figure_options,
        asked=" ".join([repr(CONFIG.figures), *CONFIG.metrics]),
    shell:
        "{PYTHON} figure {params.options} --config {SNAPSHOT:q}"
        " --output {OUTPUT:q}/figures 2>&1 | tee {log:q}"


rule figures:
    input:
        expand(rules.figure.output, figure=list(FIGURES)),
