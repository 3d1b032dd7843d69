"""The Output of a Succeed state."""

from __future__ import annotations

from typing import Any


def test_a_succeed_state_computes_its_output(machines: Any):
    tell = {"Type": "Succeed", "Output": {"twice": "{% $states.input.n * 2 %}"}}
    definition = {"QueryLanguage": "JSONata", "StartAt": "Tell", "States": {"Tell": tell}}
    assert machines.run(definition, {"n": 3})["result"] == {"twice": 6}


def test_a_succeed_state_without_one_gives_its_input_on(machines: Any):
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Done",
        "States": {"Done": {"Type": "Succeed"}},
    }
    assert machines.run(definition, {"n": 3})["result"] == {"n": 3}
