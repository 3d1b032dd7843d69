"""The stage `sharpness`: a resized picture in; a JSON file with one number out.

It is the variance of the Laplacian of the grey picture, which is small for one out of focus (Pech-
Pacheco et al., "Diatom autofocusing in brightfield microscopy", 2000). It depends on size and
content: compare pictures of one run.
"""

from __future__ import annotations

import json

from imagemill_contract.outcomes import Reason
from imagemill_contract.recipe import Recipe
from imagemill_worker.errors import PictureError
from imagemill_worker.stages.picture_stage import Picture, Product

LIBRARIES = ("cv2",)


def product_of(picture: Picture, _recipe: Recipe, /) -> Product:
    import cv2
    import numpy as np

    grey = cv2.imdecode(np.frombuffer(picture.body, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise PictureError(Reason.CORRUPT, "The resized picture cannot be decoded.")
    if picture.area is not None:
        left, top, width, height = picture.area
        grey = grey[top : top + height, left : left + width]
    variance = float(cv2.Laplacian(grey, cv2.CV_64F).var())
    return Product(json.dumps({"sharpness": float(f"{variance:.6g}")}).encode())
