"""Operators that wait for the device are found, and told from those once a group."""

import torch

from elcrec.bench import operators


def test_a_wait_is_found_and_named_with_its_caller():
    weights = torch.ones(4)

    def run(steps):
        for _ in range(steps):
            weights[weights > 0].sum().item()
        weights.sum().item()

    found = operators.profile(run, 2, torch.device("cpu"))
    every = {"aten::item (in no operator)": 1, "aten::nonzero (in aten::index)": 1}
    assert found["waiting_per_step"] == every
    assert found["waiting_per_group"] == {"aten::item (in no operator)": 1}


def test_calls_in_a_step_are_told_from_calls_in_a_group():
    few = {"aten::item": 2 * 3 + 1, "aten::mm": 30, "Memcpy DtoH (Device -> Pinned)": 1}
    many = {"aten::item": 4 * 3 + 1, "aten::mm": 60, "Memcpy DtoH (Device -> Pinned)": 1}
    assert operators.waiting(few, many, 2) == {
        "waiting_per_step": {"aten::item": 3},
        "waiting_per_group": {"aten::item": 1, "Memcpy DtoH (Device -> Pinned)": 1},
    }
