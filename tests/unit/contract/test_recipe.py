from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagemill_contract.errors import RecipeError
from imagemill_contract.recipe import Anchor, EdgeMethod, ImageFormat, Output, Recipe, ResizeMode

recipes = st.builds(
    Recipe,
    size=st.integers(1, 16_384),
    mode=st.sampled_from(ResizeMode),
    format=st.sampled_from(ImageFormat),
    quality=st.integers(1, 100),
    resize_only_if_bigger=st.booleans(),
    anchor=st.sampled_from(Anchor),
    edge=st.sampled_from([edge for edge in EdgeMethod if edge is not EdgeMethod.NONE]),
    output=st.sampled_from([form for form in Output if form is not Output.FILES]),
    split=st.sampled_from([(("train", 1.0),), (("test", 0.25), ("train", 0.75))]),
    shuffle=st.booleans(),
)


@given(recipes.filter(lambda recipe: (recipe.format, recipe.output) != ("avif", "tfrecord")))
def test_recipe_round_trips_through_its_document(recipe: Recipe) -> None:
    again = Recipe.from_document(recipe.to_document())
    assert again == recipe
    assert again.digest == recipe.digest


def test_empty_document_is_the_default_recipe() -> None:
    recipe = Recipe.from_document({})
    assert (recipe.size, recipe.mode, recipe.format, recipe.quality, recipe.edge) == (
        128,
        "center_crop",
        "jpg",
        95,
        "canny",
    )


@given(st.sets(st.integers(1, 16_384), min_size=1, max_size=8))
def test_sizes_are_sorted_and_round_trip(sizes: set[int]) -> None:
    recipe = Recipe.from_document({"sizes": list(sizes)})
    assert recipe.to_document()["sizes"] == sorted(sizes)
    assert Recipe.from_document(recipe.to_document()) == recipe
    assert [one.size for one in recipe.in_sizes()] == sorted(sizes, reverse=True)
    assert Recipe().in_sizes() == (Recipe(),)


@given(recipes, recipes)
def test_digest_tells_recipes_apart(first: Recipe, second: Recipe) -> None:
    assert (first == second) == (first.digest == second.digest)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"size": 0}, "recipe.size: 0 is not allowed; it must be a whole number from 1 to 16384."),
        ({"size": "abc"}, 'recipe.size: "abc" is not allowed'),
        ({"size": True}, "recipe.size: true is not allowed"),
        ({"size": 128.0}, "recipe.size: 128.0 is not allowed"),
        (
            {"sizes": [64, 64]},
            "recipe.sizes: [64, 64] is not allowed; it must be a list of 1 to 8 different whole",
        ),
        ({"sizes": [64, 0]}, "recipe.sizes: [64, 0] is not allowed"),
        ({"sizes": [64, True]}, "recipe.sizes: [64, true] is not allowed"),
        ({"sizes": 64}, "recipe.sizes: 64 is not allowed"),
        ({"sizes": list(range(1, 10))}, "recipe.sizes: [1, 2, 3, 4, 5, 6, 7, 8, 9] is not allowed"),
        (
            {"size": 256, "sizes": [64]},
            "recipe.size: 256 has no effect unless sizes is left out.",
        ),
        (
            {"mode": "no", "sizes": [64, 128]},
            "recipe.sizes: [64, 128] has no effect unless mode resizes.",
        ),
        (
            {"output": "parquet", "sizes": [64, 128], "columns": {"image_64": "text"}},
            "recipe.columns: image_64 is a picture or edge map in another size.",
        ),
        ({"quality": 101}, "recipe.quality: 101 is not allowed; it must be a whole number from 1"),
        ({"mode": "crop"}, 'recipe.mode: "crop" is not allowed; it must be one of center_crop,'),
        ({"mode": None}, "recipe.mode: null is not allowed"),
        ({"sise": 3}, 'recipe: unknown field "sise"; allowed are size, sizes, mode,'),
        ({"background": "white"}, "it must be a colour as #rrggbb."),
        ({"to_srgb": "yes"}, "it must be true or false."),
        ({"output": "tar"}, "it must be one of files, webdataset, tfrecord, parquet."),
        (
            {"shuffle": True},
            "recipe.shuffle: true has no effect unless output is one of",
        ),
        ({"output": "parquet", "seed": 3}, "recipe.seed: 3 has no effect unless shuffle is true."),
        ({"blur": 17}, "recipe.blur: 17 is not allowed; it must be a number from 0 to 16."),
        ({"blur": float("nan")}, "recipe.blur: NaN is not allowed"),
        ({"blur": True}, "recipe.blur: true is not allowed"),
        (
            {"output": "parquet", "columns": {"who": "text"}, "split_column": "whom"},
            'recipe.split_column: "whom" has no effect unless it is one of the columns',
        ),
        (
            {
                "output": "parquet",
                "columns": {"who": "text"},
                "split_column": "who",
                "split_by": "folder",
            },
            'recipe.split_column: "who" has no effect unless',
        ),
        (
            {"format": "avif", "output": "tfrecord"},
            "recipe.format: avif is not allowed with output tfrecord",
        ),
        (
            {"interpolation": "area", "anchor": "top_left"},
            'recipe.interpolation: "area" has no effect unless anchor is center and mode resizes.',
        ),
        ({"canny_low": 9}, "recipe.canny_low: 9 has no effect unless canny_high is given, too."),
        (
            {"canny_low": 9, "canny_high": 8},
            "recipe.canny_low: 9 must not be above canny_high, which is 8.",
        ),
        ({"edge": "sobel", "blur": 0}, "recipe.blur: 0.0 has no effect unless edge is canny."),
        (
            {"line_art_contrast": True},
            "recipe.line_art_contrast: true has no effect unless edge is line_art.",
        ),
        ({"split": {"train": 0.9}}, 'recipe.split: {"train": 0.9} is not allowed; it must be'),
        ({"split": {"train": 0.9, "Val": 0.1}}, "recipe.split: "),
        ({"split": {"train": 1.5, "test": -0.5}}, "recipe.split: "),
        ({"split": {"train": True}}, "recipe.split: "),
        ({"split": {}}, "recipe.split: {} is not allowed"),
        ({"dataset_name": "a-b"}, 'recipe.dataset_name: "a-b" is not allowed; it must be a name'),
        ([], "recipe: [] is not an object of fields."),
    ],
)
def test_bad_recipe_gets_one_clear_sentence(document: object, sentence: str) -> None:
    with pytest.raises(RecipeError) as raised:
        Recipe.from_document(document)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def test_size_with_a_unit_is_the_same_recipe_as_its_number() -> None:
    texts = [{"output": "parquet", "shard_bytes": size} for size in ("64MiB", 64 * 2**20)]
    first, second = map(Recipe.from_document, texts)
    assert first == second
    assert first.to_document()["shard_bytes"] == 64 * 2**20


def test_order_of_splits_does_not_matter() -> None:
    shares = {"train": 0.8, "test": 0.2}
    documents = [
        {"output": "parquet", "split": dict(pairs)}
        for pairs in (shares.items(), reversed(shares.items()))
    ]
    first, second = map(Recipe.from_document, documents)
    assert first == second
    assert first.digest == second.digest


def test_a_packed_recipe_has_edges() -> None:
    with pytest.raises(RecipeError, match="edge: none needs output to be files"):
        Recipe.from_document({"edge": "none", "output": "parquet"})
    assert Recipe.from_document({"edge": "none"}).edge is EdgeMethod.NONE


def test_a_column_of_samples_is_not_called_as_what_a_model_gives() -> None:
    document = {"model": "s3://bucket/model.onnx", "columns": {"vector": "text"}}
    assert Recipe.from_document(document)
    with pytest.raises(RecipeError, match="columns: vector is what the model gives for a picture"):
        Recipe.from_document({**document, "output": "parquet"})
    assert Recipe.from_document({**document, "output": "parquet", "model_output": "image"})
    document |= {"columns": {"features": "text"}}
    assert Recipe.from_document({**document, "output": "parquet"})
    with pytest.raises(RecipeError, match="columns: features is what the model gives"):
        Recipe.from_document({**document, "output": "tfrecord"})
