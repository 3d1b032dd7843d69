"""The bare work in one process, by the worker's own functions: the least CPU time of a run.

`one_loop.py PHOTOS OUT` decodes, resizes, encodes, finds edges and encodes them; it writes nothing.
"""

import sys
from pathlib import Path

from imagemill_contract.keys import Stage, stages_of
from imagemill_contract.recipe import Recipe
from imagemill_worker.stages.picture_stages import import_libraries, product_of

if __name__ == "__main__":
    recipe = Recipe()
    for stage in stages_of(Recipe()):
        import_libraries(stage)
    for path in sorted(Path(sys.argv[1]).glob("*.jpg")):
        small = product_of(Stage.RESIZE, path.read_bytes(), recipe).body
        product_of(Stage.EDGE, small, recipe)
