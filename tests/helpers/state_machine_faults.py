"""What can be wrong with a state machine beyond its schema: arrows, expressions, retries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jsonata import Jsonata
from jsonata.jexception import JException


def machines(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The state machine and those within its Map states."""
    yield machine
    for state in machine["States"].values():
        if "ItemProcessor" in state:
            yield from machines(state["ItemProcessor"])


def next_states(state: dict[str, Any]) -> set[str]:
    steps = [state, *state.get("Catch", []), *state.get("Choices", [])]
    return {step["Next"] for step in steps if "Next" in step} | (
        {state["Default"]} if "Default" in state else set()
    )


def graph_faults(machine: dict[str, Any]) -> list[str]:
    """What is wrong with the arrows: missing targets, unreachable states, ends that are none."""
    faults = []
    for inner in machines(machine):
        states = inner["States"]
        reached, waiting = set(), {inner["StartAt"]}
        while waiting:
            name = waiting.pop()
            if name not in states:
                faults.append(f"{name} does not exist")
                continue
            reached.add(name)
            waiting |= next_states(states[name]) - reached
        faults += [f"{name} is never reached" for name in sorted(set(states) - reached)]
        for name, state in states.items():
            ends = state.get("End", False) or state["Type"] in {"Succeed", "Fail"}
            if ends == bool(next_states(state)):
                faults.append(f"{name} must either go on or end")
    return faults


def expressions(value: object) -> Iterator[str]:
    """The JSONata expressions in a definition, without their `{% %}`."""
    if isinstance(value, str):
        yield from re.findall(r"^\{%(.*)%\}$", value, re.S)
    elif isinstance(value, dict):
        for item in value.values():
            yield from expressions(item)
    elif isinstance(value, list):
        for item in value:
            yield from expressions(item)


def names_assigned(value: object) -> set[str]:
    """The variables that the states of a definition assign."""
    if isinstance(value, list):
        return set().union(*map(names_assigned, value))
    if not isinstance(value, dict):
        return set()
    return set(value.get("Assign", {})).union(*map(names_assigned, value.values()))


def expression_faults(machine: dict[str, Any]) -> list[str]:
    """Expressions that are no JSONata, and variables that nothing assigns."""
    faults = []
    known = names_assigned(machine) | {"states"}
    for text in expressions(machine):
        try:
            Jsonata(text)
        except JException as error:
            faults.append(f"{text}: {error}")
        named = set(re.findall(r"\$([A-Za-z_]\w*)\b(?!\()", text))
        faults += [f"{text}: nothing assigns {name}" for name in sorted(named - known)]
    return faults


def retry_faults(machine: dict[str, Any]) -> list[str]:
    """Retries whose numbers AWS refuses (Step Functions guide, "Retrying after an error")."""
    faults = []
    states = [item for inner in machines(machine) for item in inner["States"].items()]
    for name, rule in [(name, rule) for name, state in states for rule in state.get("Retry", [])]:
        if rule.get("BackoffRate", 2) < 1:
            faults.append(f"{name}: a BackoffRate below 1")
        if rule.get("JitterStrategy", "NONE") not in ("FULL", "NONE"):
            faults.append(f"{name}: no such JitterStrategy")
        if rule.get("MaxDelaySeconds", 31_622_400) <= rule.get("IntervalSeconds", 1):
            faults.append(f"{name}: MaxDelaySeconds is not more than IntervalSeconds")
    return faults
