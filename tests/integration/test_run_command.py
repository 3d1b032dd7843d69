"""`imagemill run` as a person types it: a real subprocess on real pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.helpers.photographs import REASON_OF_BROKEN, cut, write_broken, write_pictures
from tests.helpers.tool import imagemill

pytestmark = pytest.mark.engine


def report_in(out: Path) -> dict[str, Any]:
    (path,) = out.glob("runs/*/report.json")
    report: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return report


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_broken_files_are_rejected_each_with_its_reason_and_the_rest_is_written(
    tmp_path: Path,
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    good = write_pictures(photos, 50)
    write_broken(photos)
    before = {path: path.read_bytes() for path in photos.iterdir()}

    ended = imagemill("run", photos, out)

    assert ended.returncode == 0, ended.stderr
    report = report_in(out)
    assert {row["key"]: row["reason"] for row in report["rejected"]} == REASON_OF_BROKEN
    assert all(row["detail"] for row in report["rejected"])
    for stage, written, skipped, rejected in (("resize", 50, 0, 5), ("edge", 50, 5, 0)):
        counts = report["stages"][stage]
        assert counts["planned"] == 55
        assert (counts["written"], counts["skipped"], counts["rejected"]) == (
            written,
            skipped,
            rejected,
        )
    for name, reason in REASON_OF_BROKEN.items():
        assert f"rejected {name}: {reason}" in ended.stdout
    assert names_in(out / "resized") == set(good)
    assert names_in(out / "edges") == {f"{name}.png" for name in good}
    for path in [*(out / "resized").iterdir(), *(out / "edges").iterdir()]:
        with Image.open(path) as image:
            assert image.size == (128, 128)
    assert {path: path.read_bytes() for path in photos.iterdir()} == before

    (row,) = json.loads(imagemill("runs", "--out", out, "--json").stdout)
    assert (row["run_id"], row["state"], row["images"]) == (report["run_id"], "succeeded", 55)
    assert row["rejected"] == len(REASON_OF_BROKEN)
    assert report["sentence"] in imagemill("report", "--out", out).stdout
    listed = json.loads(imagemill("failures", "--out", out, "--json").stdout)
    assert {item["key"]: item["reason"] for item in listed} == REASON_OF_BROKEN


def test_awkward_names_and_recipe_file(tmp_path: Path) -> None:
    photos, out, recipe = tmp_path / "my photos", tmp_path / "out+100%", tmp_path / "recipe.toml"
    names = ["x y/a+b.jpg", "100%/c%20d.png", "日本/é.webp", "dots.a.b.c", "no_extension"]
    for index, name in enumerate(names):
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        (photos / name).write_bytes(cut(index))  # told by its bytes: all are JPEG
    recipe.write_text('size = 64\nmode = "keep_ratio_largest"\nformat = "png"\nedge = "sobel"\n')

    ended = imagemill("run", photos, out, "--recipe", recipe, "--size", 96, "--json")

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == report_in(out)  # and nothing else is printed there
    expected = {name if name.endswith(".png") else f"{name}.png" for name in names}
    assert names_in(out / "resized") == names_in(out / "edges") == expected
    with Image.open(out / "resized" / "x y" / "a+b.jpg.png") as image:
        assert image.format == "PNG"
        assert max(image.size) == 96


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["absent", "out"], 'PHOTOS: "absent" is not a folder.'),
        (["photos", "out", "--size", 0], "recipe.size: 0 is not allowed; it must be a whole"),
        (
            ["photos", "out", "--size", "abc"],
            'recipe.size: "abc" is not allowed; it must be a whole',
        ),
        (
            ["photos", "out", "--mode", "crop"],
            'recipe.mode: "crop" is not allowed; it must be one of',
        ),
        (["photos", "out", "--quality", 101], "recipe.quality: 101 is not allowed; it must be a"),
        (["photos", "out", "--recipe", "bad.json"], 'unknown field "sise"; allowed are size'),
        (["photos", "out", "--recipe", "torn.json"], "is not JSON or TOML"),
        (["photos", "photos/out"], "must not contain each other"),
        (["empty", "out"], "there are no pictures at"),
        (["photos", "file"], 'OUT: "file" is not a folder.'),
    ],
)
def test_bad_input_gets_one_clear_sentence_and_exit_code_2(
    arguments: list[object], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_pictures(tmp_path / "photos", 1)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "bad.json").write_text('{"sise": 128}')
    (tmp_path / "torn.json").write_text('{"size": ')

    ended = imagemill("run", *arguments)

    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.glob("out/resized/*"))


def test_second_run_does_what_is_left_and_prune_removes_results_of_deleted_pictures(
    tmp_path: Path,
) -> None:
    photos, out, excluded = tmp_path / "photos", tmp_path / "out", tmp_path / "exclude.txt"
    names = write_pictures(photos, 6)
    excluded.write_text("good_004\ngood_005.jpg\n")  # a stem and a name

    first = imagemill("run", photos, out, "--exclude", excluded)
    assert first.returncode == 0, first.stderr
    assert "left out: 2 named by exclude" in first.stdout
    assert names_in(out / "resized") == set(names[:4])

    (photos / names[0]).unlink()
    (photos / names[1]).write_bytes(cut(99))
    second = imagemill("run", photos, out)
    assert "planned: 1 changed" in second.stdout
    assert "planned: 2 new" in second.stdout
    assert "left out: 2 unchanged" in second.stdout
    assert "deleted at the source: 1; their results are kept" in second.stdout
    assert names_in(out / "resized") == set(names)

    third = imagemill("run", photos, out, "--prune")
    assert "Nothing to do: all 5 pictures are done already." in third.stdout
    assert "deleted at the source: 1; their results were removed" in third.stdout
    assert names_in(out / "resized") == set(names[1:])
    assert names_in(out / "edges") == {f"{name}.png" for name in names[1:]}


def test_captions_beside_pictures_are_metadata_and_a_changed_one_is_work(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    write_pictures(photos, 3)
    names = sorted(path.name for path in photos.iterdir())
    for name in names[:2]:
        (photos / name).with_suffix(".txt").write_text(f"of {name}")
    command = ["run", photos, out, "--sizes", "32,16", "--columns", "caption", "--vcpus", 1]

    assert imagemill(*command).returncode == 0
    assert {row["key"]: row["reason"] for row in report_in(out)["rejected"]} == {names[2]: "no_row"}
    (photos / names[0]).with_suffix(".txt").write_text("another")
    plan = json.loads(imagemill("plan", *command[1:], "--json").stdout)
    assert plan["to_do"] == {"columns changed": 1}
    assert plan["done"] == {"unchanged": 1}

    for size in ("16", "32"):
        folder = out / "resized" / size
        assert names_in(folder) == {*names[:2], "metadata.jsonl"}
        lines = (folder / "metadata.jsonl").read_text("utf-8").splitlines()
        assert [json.loads(line) for line in lines] == [
            {"file_name": name, "caption": f"of {name}"} for name in names[:2]
        ]
