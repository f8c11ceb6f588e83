"""Claims about training: ablation, sensitivity, convergence."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping

from elcrec.files.jsonfile import JsonObject
from elcrec.report.claims.claim import (
    FAILS,
    HOLDS,
    NOT_RUN,
    PARTLY,
    REFERENCE,
    Definition,
    Finding,
    Scope,
    history,
    listed,
    own_runs,
    settled,
    unless_open,
    verdict_of,
)
from elcrec.report.evidence import Evidence, Row, mean

ARMS = {"B": "iclrec", "B+ICL": "iclrec_icl", "B+ELCM": "elcrec_elcm", "ELCRec": REFERENCE}
"""Arms of the paper's ablation by the model that is each of them here."""
STEPS = (("B+ICL", "B"), ("B+ELCM", "B"), ("ELCRec", "B+ICL"), ("ELCRec", "B+ELCM"))
"""Pairs of arms of which the first should be the better one."""
SENSITIVE = 0.10  # our threshold: relative distance of the worst value from the best


def ablation(evidence: Evidence, scope: Scope) -> Finding:
    """Does each part improve the sum of the four metrics?"""
    drawn = {(r.text("dataset"), r.text("model")): r for r in evidence.figure("ablation")}
    done, failed, final, unsettled = 0, [], 0, 0
    for dataset in scope.datasets:
        rows = {arm: drawn.get((dataset, model)) for arm, model in ARMS.items()}
        sums = {arm: row.number("mean") if row else math.nan for arm, row in rows.items()}
        seeds = {arm: row.integer("seeds") if row else 0 for arm, row in rows.items()}
        for better, worse in STEPS:
            if math.isnan(sums[better] + sums[worse]) or sums[better] == sums[worse]:
                continue  # not run, or the same settings where the part is off
            done += 1
            stays = settled(evidence, seeds[better], seeds[worse])
            unsettled += not stays
            if sums[better] < sums[worse]:
                final += stays
                failed.append(
                    f"{better} {sums[better]:.4f} against {worse} {sums[worse]:.4f}"
                    f" on {evidence.dataset_name(dataset)}"
                )
    if not done:
        return Finding(NOT_RUN, "No two arms of the ablation have been run yet.")
    needed = len(STEPS) * scope.expected
    steps, exceptions = len(STEPS) * len(evidence.printed("ablation")), _failed_in_paper(evidence)
    allowed = needed * len(exceptions) // steps
    sentence = (
        f"Of {done} steps that add a part (of {needed}), {done - len(failed)} raise HR@5 + HR@20 +"
        f" NDCG@5 + NDCG@20{'; not ' + listed(failed, 2) if failed else ''}."
    )
    if unsettled:
        sentence += (
            f" {unsettled} of these steps may change, for one side has fewer than"
            f" {len(evidence.config.seeds)} seeds."
        )
    outcome = verdict_of(done, final, needed, allowed)
    return Finding(unless_open(outcome, not unsettled), sentence)


def sensitivity(evidence: Evidence, scope: Scope) -> Finding:
    """How far is the worst value of alpha and of K from the best one?"""
    values = _values_in_paper(evidence)
    panels = {
        key: found
        for key, found in _panels(evidence, scope, values).items()
        if len(found) > 2 and max(found.values()) > 0
    }
    if not panels:
        return Finding(NOT_RUN, "No three values of alpha or of K have been run yet.")
    # Worst spreads first, for only some are named.
    spreads = dict(sorted(((k, _spread(p)) for k, p in panels.items()), key=lambda x: -x[1]))
    shown = [
        f"{s:.1%} for {'K' if p == 'intents' else p} on {evidence.dataset_name(d)}"
        f" ({len(panels[d, p])} of {len(values[p])} values)"
        for (d, p), s in spreads.items()
    ]
    sentence = f"From the best to the worst value HR@5 falls by {listed(shown)}."
    needed = len(values) * scope.expected
    complete = sum(len(found) == len(values[p]) for (_, p), found in panels.items()) >= needed
    # More values only widen a panel's spread, so one that fails early fails for good; those that
    # are still open count as holding, and the claim fails when even then too many fail.
    failed = sum(s > SENSITIVE for s in spreads.values())
    outcome = verdict_of(needed, failed, needed)
    return Finding(unless_open(outcome, complete), sentence.replace("%", " %"))


def convergence(evidence: Evidence, scope: Scope) -> Finding:
    """Does the loss fall, validation rise, and training end because nothing improves any more?"""
    runs = own_runs(evidence, scope)
    histories = [(values, history(values)) for values in runs]
    known = [(values, rows) for values, rows in histories if len(rows) > 1]
    if not known:
        return Finding(NOT_RUN, "No training of ELCRec has been run yet.")
    learned = [_learned(values, rows) for values, rows in known]
    ended = sum(values.integer("best_epoch") < len(rows) for values, rows in known)
    epochs = mean([values.integer("best_epoch") for values, _ in known])
    cut = ", the others were cut off while they still improved" if ended < len(known) else ""
    sentence = (
        f"In {sum(learned)} of {len(known)} trainings loss fell and validation HR@5 rose up to the"
        f" tested epoch (on average epoch {epochs:.0f}); {ended} went on after it without a better"
        f" one{cut}."
    )
    if not any(learned):
        return Finding(FAILS, sentence)
    datasets = {values.text("dataset") for values, _ in known}
    complete = len(datasets) >= scope.expected and all(learned) and ended == len(known)
    return Finding(HOLDS if complete else PARTLY, sentence)


def ablation_in_paper(evidence: Evidence) -> str:
    """The paper's claim, counted in its own Table 10."""
    failed = _failed_in_paper(evidence)
    text = "Both parts, the learned clustering (ELCM) and the intents in the contrast (ICL), help"
    return f"{text}, and the whole is best{' (but ' + listed(failed) + ')' if failed else ''}."


def _failed_in_paper(evidence: Evidence) -> list[str]:
    """Steps of the paper's Table 10 that do not raise the sum."""
    return [
        f"{better} is below {worse} on {row.text('dataset')}"
        for row in evidence.printed("ablation")
        for better, worse in STEPS
        if row.number(better) <= row.number(worse)
    ]


def _values_in_paper(evidence: Evidence) -> dict[str, set[float]]:
    """Values of each hyper-parameter that the paper shows."""
    values: dict[str, set[float]] = defaultdict(set)
    for row in evidence.printed("sensitivity"):
        values[row.text("parameter")].add(row.number("value"))
    return dict(values)


def _panels(
    evidence: Evidence, scope: Scope, values: Mapping[str, set[float]]
) -> dict[tuple[str, str], dict[float, float]]:
    """Mean test HR@5 by value, for each data set and parameter; of the paper's values only."""
    panels: dict[tuple[str, str], dict[float, float]] = defaultdict(dict)
    for row in evidence.figure("sensitivity"):
        dataset, parameter = row.text("dataset"), row.text("parameter")
        value, score = row.number("value"), row.number("mean")
        known = value in values.get(parameter, ())
        if dataset in scope.datasets and known and not math.isnan(score):
            panels[dataset, parameter][value] = score
    return panels


def _spread(panel: Mapping[float, float]) -> float:
    """How far the worst value is below the best, relative to the best."""
    best = max(panel.values())
    return (best - min(panel.values())) / best


def _learned(values: JsonObject, rows: list[Row]) -> bool:
    first, tested = rows[0], rows[max(values.integer("best_epoch"), 1) - 1]
    fell = tested.number("loss_total") < first.number("loss_total")
    return fell and tested.number("HR@5") > first.number("HR@5")


ABLATION = Definition(
    "ablation",
    "Each part helps",
    ablation_in_paper,
    "Holds if each of the four steps that add a part raises the sum of the four metrics on each of"
    " the paper's data sets, with as large a share of exceptions as in the paper. A step counts"
    " once both sides have all seeds of the configuration.",
    ablation,
    {"figures": "Figures"},
)
SENSITIVITY = Definition(
    "sensitivity",
    "Insensitive to alpha and K",
    lambda evidence: (
        "HR@5 changes little with the weight of the cluster loss, alpha from 0.01 to 100, and with"
        " the number of intents, K from 32 to 512 (shown as curves, without a number for it)."
    ),
    f"Holds if HR@5 of the worst value is at most {100 * SENSITIVE:g} % below that of the best, for"
    " both parameters on the paper's data sets and all values that the paper shows. The threshold"
    " is ours.",
    sensitivity,
    {"figures": "Figures"},
)
CONVERGENCE = Definition(
    "convergence",
    "Training converges",
    lambda evidence: (
        "The training loss falls and validation HR@5 rises until both stay where they are."
    ),
    "Holds if in every run on the paper's data sets the loss is lower and HR@5 higher at the tested"
    " epoch than after the first, and training then went on without a better epoch.",
    convergence,
    {"figures": "Figures"},
)
