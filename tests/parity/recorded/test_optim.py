"""AdamW and the schedules against figures recorded from transformers 4.12.5 by `record_optim.py`."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch

import minibert.optim

HERE = Path(__file__).parent
FIGURES = json.loads((HERE / "optim.json").read_text())

# The recording script is the program too; it is not in a package, so it is loaded from its file.
_spec = importlib.util.spec_from_file_location("record_optim", HERE / "record_optim.py")
record_optim = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(record_optim)


def test_the_figures_are_the_old_reference_s():
    assert FIGURES["recorded from"] == "transformers 4.12.5"


def test_every_schedule_gives_the_recorded_rates():
    ours = record_optim.record_schedules(minibert.optim)
    assert ours.keys() == FIGURES["schedules"].keys()
    for name, rates in FIGURES["schedules"].items():
        assert ours[name] == pytest.approx(rates, rel=1e-12, abs=1e-18), name


def test_adamw_gives_the_recorded_parameters():
    ours = record_optim.record_adamw(minibert.optim)
    assert ours.keys() == FIGURES["adamw"].keys()
    for name, values in FIGURES["adamw"].items():
        assert ours[name] == pytest.approx(values, abs=1e-6), name


def test_a_state_saved_by_the_reference_goes_on_here():
    recorded = FIGURES["state"]
    problem = record_optim.Problem(minibert.optim, torch.float64, correct_bias=True)
    with torch.no_grad():
        problem.weight.copy_(torch.tensor(recorded["before"][:3], dtype=torch.float64))
        problem.bias.fill_(recorded["before"][3])
    state = {
        int(index): {
            "step": entry["step"],
            "exp_avg": torch.tensor(entry["exp_avg"], dtype=torch.float64),
            "exp_avg_sq": torch.tensor(entry["exp_avg_sq"], dtype=torch.float64),
        }
        for index, entry in recorded["state"].items()
    }
    problem.optimizer.load_state_dict({"state": state, "param_groups": recorded["param_groups"]})
    for _ in range(50):
        problem.step()
    assert problem.values() == pytest.approx(recorded["after"], abs=1e-12)


def test_our_state_has_the_keys_the_reference_saved():
    problem = record_optim.Problem(minibert.optim, torch.float64, correct_bias=True)
    problem.step()
    saved = problem.optimizer.state_dict()
    assert {str(index): set(entry) for index, entry in saved["state"].items()} == {
        index: set(entry) for index, entry in FIGURES["state"]["state"].items()
    }
    assert [set(group) for group in saved["param_groups"]] == [set(group) for group in FIGURES["state"]["param_groups"]]
