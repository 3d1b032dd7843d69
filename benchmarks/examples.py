"""Samples a second that the scripts in `examples/` give, from shards and from single files.

Run: python -m benchmarks.examples [PICTURES], after `make check-readers` has made the environments.

Photographs are packed by `imagemill run` at size 128, in four classes, once in each form. Then the
scripts, each in its environment, go A B C through three rounds; the best of each counts. Files are
in the page cache. Those for PyTorch and TensorFlow make batches; that of `datasets` streams.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from benchmarks.photographs import ROOT, photographs
from imagemill_contract.recipe import Output
from tests.helpers.readers import printed_by, run

CLASSES, ROUNDS = 4, 3
SHARD_BYTES = 4_000_000  # some shards for each worker of a loader
SCRIPTS = {
    "pytorch_files": ("huggingface", Output.FILES, ""),
    "pytorch_webdataset": ("huggingface", Output.WEBDATASET, "dataset"),
    "pytorch_parquet": ("huggingface", Output.PARQUET, "dataset"),
    "huggingface_stream": ("huggingface", Output.WEBDATASET, "dataset"),
    "tensorflow_tfrecord": ("tensorflow", Output.TFRECORD, "dataset"),
}


def link_classes(folder: Path, count: int) -> None:
    """Names for photographs, of which there are only a few, in folders of classes."""
    found = photographs()
    for number in range(count):
        path = folder / f"class-{number % CLASSES}" / f"{number:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(found[number % len(found)].path.resolve())


def rate(script: str, base: Path) -> int:
    """What a script says in its last line."""
    environment, output, folder = SCRIPTS[script]
    command = [ROOT / "examples" / f"{script}.py", base / output / folder]
    (*_, last) = printed_by(environment, command, base, base)
    found = re.search(r"(\d+) per second", last)
    assert found, last
    return int(found[1])


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 4_000
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        link_classes(base / "photos", count)
        for output in Output:
            packed = {"label_from_folder": True, "shuffle": True, "shard_bytes": SHARD_BYTES}
            packed = {} if output is Output.FILES else packed
            run(base / "photos", base / output, {"output": output, **packed})
        rates: dict[str, list[int]] = {script: [] for script in SCRIPTS}
        for _ in range(ROUNDS):
            for script, found in rates.items():
                found.append(rate(script, base))
    files = max(rates["pytorch_files"])
    print(f"{count:,} pictures\n\n| script | samples/s | to single files |\n|---|---|---|")
    for script, found in rates.items():
        print(f"| `{script}.py` | {max(found):,} | {max(found) / files:.2f} |")


if __name__ == "__main__":
    main()
