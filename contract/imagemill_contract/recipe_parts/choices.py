"""The choices that fields of a recipe and options offer: one name each, in every document."""

from __future__ import annotations

from enum import StrEnum


class ResizeMode(StrEnum):
    """How a picture is brought to `size`."""

    CENTER_CROP = "center_crop"  # shorter side to size, then the middle size x size
    BORDER = "border"  # longer side to size, then padded to size x size
    KEEP_RATIO = "keep_ratio"  # shorter side to size
    KEEP_RATIO_LARGEST = "keep_ratio_largest"  # longer side to size
    NO = "no"  # left at its own size
    STRETCH = "stretch"  # both sides to size, proportions given up


class ImageFormat(StrEnum):
    """The encoding of a resized picture; the value is its file extension."""

    JPG = "jpg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"


class Interpolation(StrEnum):
    """How pixels of the result are made from those of the picture. Names as in img2dataset."""

    AUTO = "auto"  # follows the reduction, on a decoder's small copy that has the detail
    NEAREST = "nearest"
    LINEAR = "linear"
    CUBIC = "cubic"
    AREA = "area"
    LANCZOS = "lanczos"


class Output(StrEnum):
    """The form in which results are written."""

    FILES = "files"  # an object for each picture and stage
    WEBDATASET = "webdataset"  # tar
    TFRECORD = "tfrecord"
    PARQUET = "parquet"


class EdgeMethod(StrEnum):
    CANNY = "canny"
    SOBEL = "sobel"
    LINE_ART = "line_art"  # 2017: 3x3 dilate, absolute difference, inverted, grey
    NONE = "none"  # no edge maps, and no jobs for them


class ModelOutput(StrEnum):
    """What a neural network gives for a picture."""

    VECTOR = "vector"  # an embedding, as float16
    SCORES = "scores"  # a number, or one for each label
    IMAGE = "image"  # a drawing, a mask, a depth map


class Anchor(StrEnum):
    """Which part of the picture `center_crop` keeps."""

    CENTER = "center"
    TOP_LEFT = "top_left"  # bit for bit the data set of 2017


class SplitBy(StrEnum):
    """What stays together in one split."""

    PICTURE = "picture"  # each picture is drawn by itself
    FOLDER = "folder"  # all pictures of a folder: those of one person, or of one film


_MOST_BITS = 16  # of a fingerprint that may differ


class Measure(StrEnum):
    """What of two pictures is compared, to find those that are alike."""

    FINGERPRINT = "fingerprint"  # bits, of 64, that differ
    VECTOR = "vector"  # 1 - cosine of what a model has given

    def fault_of(self, distance: float | None) -> str:
        """Why two cannot be compared by that distance, as a sentence; empty if they can."""
        if self is Measure.VECTOR:
            is_one = distance is not None and 0 <= distance <= 1
            return "" if is_one else "Vectors are compared by 1 - cosine, such as 0.05."
        is_one = distance is None or distance in range(_MOST_BITS + 1)
        return "" if is_one else f"Fingerprints are compared by whole bits, 0 to {_MOST_BITS}."
