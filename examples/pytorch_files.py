"""Batches of single files for PyTorch, to compare: python pytorch_files.py OUT [WORKERS].

OUT has folders of classes: run imagemill without `--output` over PHOTOS/<class>/.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from PIL import Image

BATCH = 64


class Files(torch.utils.data.Dataset):
    """Pictures (3, H, W) and edge maps (1, H, W), both 0 to 1, and the number of the folder."""

    def __init__(self, out: Path):
        self.out = out
        self.paths = sorted(path for path in (out / "resized").glob("*/**/*") if path.is_file())
        self.names = sorted({self.name(path) for path in self.paths})

    def name(self, path: Path) -> str:
        return path.relative_to(self.out / "resized").parts[0]

    def edge_path(self, relative: Path) -> Path:
        """Of `a.jpg` it is `a.jpg.png`; of `b.png.jpg`, whose source is `b.png`, `b.png`."""
        edges = self.out / "edges"
        names = (
            f"{relative}.png",
            str(relative.with_suffix("")),
            f"{relative.with_suffix('')}.png",
        )
        return next(edges / name for name in names if (edges / name).is_file())

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, place: int):
        path = self.paths[place]
        edge_path = self.edge_path(path.relative_to(self.out / "resized"))
        image = np.array(Image.open(path).convert("RGB"), np.float32) / 255
        edge = np.array(Image.open(edge_path).convert("L"), np.float32) / 255
        label = self.names.index(self.name(path))
        return torch.from_numpy(image).permute(2, 0, 1), torch.from_numpy(edge)[None], label


def main() -> None:
    files, workers = Files(Path(sys.argv[1])), int(sys.argv[2]) if len(sys.argv) > 2 else 2
    loader = torch.utils.data.DataLoader(files, BATCH, shuffle=True, num_workers=workers)
    labels: Counter[int] = Counter()
    began = time.perf_counter()
    for images, edges, classes in loader:
        assert images.shape[1] == 3 and edges.shape[1] == 1  # your training step goes here
        labels.update(classes.tolist())
    rate = labels.total() / (time.perf_counter() - began)
    print(
        f"{labels.total()} samples, {rate:.0f} per second, by class {dict(sorted(labels.items()))}"
    )


if __name__ == "__main__":
    main()
