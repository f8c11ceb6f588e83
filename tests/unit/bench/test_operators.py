"""Operators that wait for the device are found."""

import torch

from elcrec.bench import operators


def test_a_wait_is_found_and_named_with_its_caller():
    weights, taken = torch.ones(4), []

    def step():
        weights[weights > 0].sum().item()
        taken.append(len(taken))
        if len(taken) == 2:
            weights.sum().item()

    found = operators.profile(step, 2, torch.device("cpu"))
    every = {"aten::item (in no operator)": 1.5, "aten::nonzero (in aten::index)": 1}
    assert found["waiting_per_step"] == every
    assert (found["steps"], len(taken)) == (2, 2)
    assert "aten::nonzero" in found["table"]


def test_names_that_go_on_are_found_too():
    assert operators.WAITING.fullmatch("Memcpy DtoH (Device -> Pinned)")
    assert not operators.WAITING.fullmatch("aten::mm")
