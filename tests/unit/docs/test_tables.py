"""Every table of fields, codes and keys in the pages has what the code has."""

from __future__ import annotations

import ast
import json
from dataclasses import Field, fields
from typing import Any

import pytest

from imagemill import cli
from imagemill.errors import ExitCode, RunFailedError, UsageError
from imagemill.project import ROOT
from imagemill_app.plan.earlier.remaining import remaining_work
from imagemill_contract.documents import SourceObject
from imagemill_contract.outcomes import Reason, Status
from imagemill_contract.recipe import Recipe, ResizeMode
from imagemill_contract.requests.request import REQUEST_FIELDS, RunRequest
from imagemill_dataset.index import Entry, IndexedRun
from imagemill_worker.picture.geometry import placement
from tests.helpers.pages import plain, section, table, text_of
from tests.helpers.stack_template import template

RECIPE_PAGE, PLANNING_PAGE = text_of("docs/recipe.md"), text_of("docs/planning.md")
CLI_PAGE = text_of("docs/cli.md")
LOCAL_PAGE, DEPLOY_PAGE = text_of("docs/local.md"), text_of("docs/deploy.md")
RECIPE_ROWS = {plain(row["field"]): row for row in table(RECIPE_PAGE, "field")}
REQUEST_ROWS = {plain(row["field"]): row for row in table(PLANNING_PAGE, "field")}


def test_recipe_tables_have_every_field() -> None:
    assert set(RECIPE_ROWS) == {item.name for item in fields(Recipe)}


@pytest.mark.parametrize("item", fields(Recipe), ids=lambda item: item.name)
def test_row_of_a_recipe_field_is_what_the_contract_says(item: Field[Any]) -> None:
    row = RECIPE_ROWS[item.name]
    assert plain(row["allowed"]) == item.metadata["rule"].allowed
    assert plain(row["default"]) == json.dumps(Recipe().to_document()[item.name]).strip('"')
    dashed = item.name.replace("_", "-")
    assert {f"--{dashed}", f"--no-{dashed}"} & set(plain(row["example"]).split())


@pytest.mark.parametrize("mode", ResizeMode)
def test_row_of_a_resize_mode_is_what_it_makes(mode: ResizeMode) -> None:
    (row,) = [row for row in table(RECIPE_PAGE, "mode") if plain(row["mode"]) == mode]
    width, height = placement(640, 480, Recipe(size=128, mode=mode)).canvas
    assert row["result"] == f"{width} x {height}"


def test_request_table_has_every_field() -> None:
    assert set(REQUEST_ROWS) == set(REQUEST_FIELDS)


@pytest.mark.parametrize("name", REQUEST_FIELDS)
def test_example_of_a_request_field_is_taken(name: str) -> None:
    example = json.loads(plain(REQUEST_ROWS[name]["example"]))
    beside = {"window": "20261124T120000Z-60s"} if name == "closes" else {"source": "s3://bucket/"}
    document = {**({} if name == "window" else beside), name: example}
    request = RunRequest.from_document(document, allow_files=False)
    assert (request.source is None) == (name in ("window", "closes"))


@pytest.mark.parametrize("name", ["exclude", "include_globs", "limit", "manifest", "prune"])
def test_wrong_value_of_a_request_field_is_refused_by_its_name(name: str) -> None:
    document = {"source": "s3://bucket/full/", name: object()}
    with pytest.raises(ValueError, match=f"^{name}: "):
        RunRequest.from_document(document, allow_files=False)


@pytest.mark.parametrize("row", table(CLI_PAGE, "exit code"), ids=lambda row: row["exit code"])
def test_exit_code_is_that_of_the_tool(
    row: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: dict[str, BaseException] = {
        "done, also when some pictures were rejected": SystemExit(0),
        "it failed: a run did not succeed, a dataset is damaged, something of a stack is broken": (
            RunFailedError("Too many failed.")
        ),
        "the request cannot be carried out; nothing was started": UsageError("No such folder."),
        "stopped by Ctrl-C": SystemExit(ExitCode.STOPPED),
        "ended by SIGTERM, as carefully as by Ctrl-C": SystemExit(ExitCode.TERMINATED),
    }

    def ended(**_options: str) -> None:
        raise ends[row["meaning"]]

    monkeypatch.setattr(cli, "app", ended)
    monkeypatch.setattr(cli, "terminate_as_exit", lambda: None)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert f"{end.value.code:d}" == row["exit code"]


def test_every_exit_code_is_explained() -> None:
    codes = [row["exit code"] for row in table(CLI_PAGE, "exit code")]
    assert codes == [f"{code:d}" for code in ExitCode]


def test_every_reason_of_an_outcome_is_explained() -> None:
    rows = table(section(LOCAL_PAGE, "Outcomes and reasons"), "reason")
    assert [plain(row["reason"]) for row in rows] == list(Reason)


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "docs/local.md"])
def test_every_status_is_explained(page: str) -> None:
    assert all(f"`{status}`" in text_of(page) for status in Status)


def test_reasons_to_do_a_picture_again_are_those_of_the_planner() -> None:
    rows = table(section(PLANNING_PAGE, "What is done again"), "reason in plan and report")
    reasons = {plain(row["reason in plan and report"]) for row in rows}
    two, three = (Recipe.from_document({"sizes": sizes}) for sizes in ([64, 128], [64, 128, 512]))
    made = set()
    for before, now in ((Recipe(size=256), Recipe()), (two, three)):
        run = IndexedRun("run-1", "2026", "s3://bucket/", before.to_document())
        entries = {"a": Entry("etag", None, run)}
        made |= set(remaining_work([SourceObject("a", "etag", 1)], "", now, entries, bool).reasons)
    assert made <= reasons
    sources = ("earlier/remaining.py", "planning.py")
    trees = [ast.parse(text_of(f"functions/imagemill_app/plan/{name}")) for name in sources]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    assert reasons - made <= texts


def test_parameters_are_those_of_the_template() -> None:
    rows = table(DEPLOY_PAGE, "parameter")
    assert {plain(row["parameter"]): plain(row["default"]) for row in rows} == {
        name: str(item.get("Default", "")) for name, item in template()["Parameters"].items()
    }


def test_outputs_are_those_of_the_template() -> None:
    assert {plain(row["output"]) for row in table(DEPLOY_PAGE, "output")} == set(
        template()["Outputs"]
    )


def test_picture_of_the_readme_is_small() -> None:
    assert (ROOT / "docs" / "images" / "before-after.jpg").stat().st_size <= 200_000
