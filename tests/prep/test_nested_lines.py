from pathlib import Path

import polars as pl
import pytest

from endcap.prep.nested_lines import read_nested_lines

EXPORTS = Path(__file__).parent / "exports"


def normal(dtype):
    """Return a type whose fields stand in the order of their names: the engine's order varies."""
    if isinstance(dtype, pl.List):
        return pl.List(normal(dtype.inner))
    if isinstance(dtype, pl.Struct):
        fields = {field.name: normal(field.dtype) for field in dtype.fields}
        return pl.Struct(dict(sorted(fields.items())))
    return dtype


@pytest.mark.parametrize(
    "data",
    [
        (EXPORTS / "ga4.jsonl").read_bytes(),
        b'{"a":[1,2],"b":{"c":"x"}}\n{"a":[],"b":null}\n{"b":{"c":null,"d":1.5}}\n{"a":null}',
        b'{"a":[{"k":"x","v":{"i":1}},{"k":null}],"n":1}\n{"a":[{"k":"y"}],"n":2.5}\n',
        b'{"a":[[1],[],[2,3]],"s":"\xc3\xa4\xe4\xb8\xad","t":true}\n{"a":[null,[4]],"t":false}\n',
    ],
)
def test_lines_are_read_as_the_engine_reads_them(data):
    ours, theirs = read_nested_lines(data), pl.read_ndjson(data, infer_schema_length=None)
    assert sorted(ours.columns) == sorted(theirs.columns)
    for name in ours.columns:
        assert normal(ours[name].dtype) == normal(theirs[name].dtype)
    assert ours.to_dicts() == theirs.to_dicts()


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"b":"x"}\n{"a":[1],"b":"y"}',  # the first line is flat
        b'{"a":[1]}\n{"a":["x"]}',
        b'{"a":[1]}\n{"a":{"b":1}}',
        b'{"a":[1]}\n{"a":[1]',
        b'{"a":[1]}\n\n{"a":[1]}',
        b'{"a":[1]}\n[1]',
        b'{"a":[],"b":1}',
        b'{"a":[99999999999999999999]}',
    ],
)
def test_what_is_not_plain_is_left_to_the_engine(data):
    assert read_nested_lines(data) is None
