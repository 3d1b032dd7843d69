"""The code of functions, unpacked once for all their processes, in all runs.

AWS starts a function whose code lies ready. The emulator unpacks hundreds of files for each process
and removes them when it ends, which takes a tenth of a second. After a few runs it is several
tenths: ext4 makes no new file of what was removed a moment ago, and has to look on. Here unpacked
code is kept by its digest, and a process finds a link to it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

from ministack.core import lambda_runtime

from imagemill_engine.hooks import patching
from imagemill_engine.translation import cache_folder

MOST_FOLDERS = 16
SECONDS_IN_USE = 2 * 86_400  # a process may import some modules late
_LOCK = threading.Lock()


def install() -> None:
    """Let processes of functions find their code unpacked."""
    if patching.require(lambda_runtime, "zipfile") is not zipfile:
        raise patching.refusal(lambda_runtime, "zipfile", "is not the module")
    names = {**vars(zipfile), "ZipFile": KeptArchive}
    lambda_runtime.zipfile = SimpleNamespace(**names)


class KeptArchive(zipfile.ZipFile):
    """An archive that is unpacked only if nobody has unpacked the same before."""

    def extractall(self, path: str) -> None:  # type: ignore[override] # all that is asked
        """Put the content where there is an empty folder. Raises as `ZipFile.extractall`."""
        try:
            with _LOCK:
                kept = self._kept()
            Path(path).rmdir()
            Path(path).symlink_to(kept)
        except (OSError, RuntimeError):  # no home, for example, or a full disk
            Path(path).mkdir(exist_ok=True)
            super().extractall(path)

    def _kept(self) -> Path:
        """The folder with the content; its time says when it was last wanted."""
        digest = hashlib.sha256(Path(str(self.filename)).read_bytes()).hexdigest()
        kept = cache_folder("functions") / digest
        if not self._is_whole(kept):
            self._unpack(kept)
        os.utime(kept)
        return kept

    def _is_whole(self, folder: Path) -> bool:
        try:
            files = [item for item in self.infolist() if not item.is_dir()]
            return all((folder / it.filename).stat().st_size == it.file_size for it in files)
        except OSError:
            return False

    def _unpack(self, kept: Path) -> None:
        """Make the folder, whole or not at all, and remove the oldest of too many."""
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=kept.parent))
        try:
            super().extractall(part)
            if not self._is_whole(kept):
                shutil.rmtree(kept, ignore_errors=True)
            with suppress(OSError):  # another engine was quicker
                part.rename(kept)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        _remove_old(kept.parent)


def _remove_old(folder: Path) -> None:
    wanted_at = {found: found.stat().st_mtime for found in folder.iterdir()}
    oldest_first = sorted(wanted_at, key=lambda found: wanted_at[found])
    for found in oldest_first[:-MOST_FOLDERS]:
        if wanted_at[found] < time.time() - SECONDS_IN_USE:
            shutil.rmtree(found, ignore_errors=True)
