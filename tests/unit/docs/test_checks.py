"""`make check`, the hooks of pre-commit and CONTRIBUTING know the same checks."""

from __future__ import annotations

import re

import yaml

from tests.helpers.pages import codes, text_of

MAKEFILE = text_of("Makefile")


def checks_of_make() -> list[str]:
    (names,) = re.findall(r"^CHECKS := (.*)$", MAKEFILE.replace("\\\n", " "), re.M)
    return str(names).split()


def test_make_check_runs_every_check() -> None:
    assert re.search(r"^check: \$\(CHECKS\) ##", MAKEFILE, re.M)
    assert all(
        re.search(rf"^{name}: \$\(INSTALLED\)( \$\(SCAN\))? ##", MAKEFILE, re.M)
        for name in checks_of_make()
    )


def test_hooks_of_pre_commit_are_the_checks_of_make() -> None:
    (repository,) = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"]
    assert repository["repo"] == "local"
    hooks = repository["hooks"]
    assert [hook["entry"] for hook in hooks] == [f"make {name}" for name in checks_of_make()]
    assert all(hook["language"] == "system" and not hook["pass_filenames"] for hook in hooks)


def test_contributing_names_every_check() -> None:
    named = set(codes(text_of("CONTRIBUTING.md")))
    assert {f"make {name}" for name in checks_of_make()} <= named


def test_every_target_is_listed_by_make_help() -> None:
    targets = re.findall(r"^([a-z][a-z-]*):.*?(## .*)?$", MAKEFILE, re.M)
    assert targets
    assert [name for name, text in targets if not text] == []
