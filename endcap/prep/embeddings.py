"""Read the vectors that a shop has of its items: an image's, a text's."""

import polars as pl

from endcap.errors import SchemaError
from endcap.prep import values

VECTOR = pl.List(pl.Float32)


def read_vectors(raw: pl.Series, name: str) -> values.Read:
    """Read lists of numbers, from a list column or from texts such as `[0.1, 0.2]`."""
    present = raw.is_not_null()
    if raw.dtype == pl.String:
        text = raw.str.strip_chars()
        present &= text != ""
        parts = text.str.replace_all(r"[\[\],;|\s]+", " ").str.strip_chars().str.split(" ")
    elif isinstance(raw.dtype, pl.List | pl.Array):
        parts = raw.cast(pl.List(raw.dtype.inner))
    else:
        parts = pl.Series(name, [None] * raw.len(), dtype=VECTOR)
    numbers = parts.list.eval(pl.element().cast(pl.Float32, strict=False))
    finite = numbers.list.eval(pl.element().is_finite().fill_null(False)).list.all()
    is_good = present & finite.fill_null(False) & (numbers.list.len() > 0)
    is_none = ~present | (numbers.list.len() == 0).fill_null(False)
    read = numbers.cast(VECTOR).set(~is_good, None)
    return read, values.name_cases(read, (~is_good & ~is_none, f"{name} is no list of numbers"))


def check_lengths(vectors: pl.Series, items: pl.Series, *, column: str, file: str) -> int:
    """Return the one length of a column's vectors, 0 if there is none.

    Raises:
        SchemaError: they have different lengths.
    """
    lengths = vectors.list.len()
    held = pl.DataFrame({"item": items, "length": lengths}).drop_nulls("length")
    if held.is_empty():
        return 0
    first = held.row(0, named=True)
    other = held.filter(pl.col("length") != first["length"])
    if not other.is_empty():
        second = other.row(0, named=True)
        raise SchemaError(
            f"{file} has vectors of different lengths in {column}: {first['length']} numbers for "
            f"item {first['item']}, {second['length']} for item {second['item']}; give every item "
            f"a vector of one length, or leave it empty."
        )
    return int(first["length"])


def side_by_side(columns: list[tuple[pl.Series, int]]) -> pl.Series:
    """Join an item's vectors into one; what it lacks is NaN, and an item without any has none.

    Args:
        columns: vectors and their length.
    """
    filled = [
        vectors.fill_null(pl.Series([[float("nan")] * length], dtype=VECTOR)).alias(str(at))
        for at, (vectors, length) in enumerate(columns)
    ]
    frame = pl.DataFrame(filled)
    joined = frame.select(pl.concat_list(pl.all())).to_series()
    has_any = pl.DataFrame([v.is_not_null().alias(str(at)) for at, (v, _) in enumerate(columns)])
    return joined.set(~has_any.select(pl.any_horizontal(pl.all())).to_series(), None)
