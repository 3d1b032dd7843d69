"""The choices that fields of a recipe offer: one name each, in every document."""

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
