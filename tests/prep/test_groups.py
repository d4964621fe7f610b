import pytest

from endcap.errors import FileError, SchemaError
from endcap.prep import read_groups


def test_every_column_beside_the_shopper_is_a_kind_of_group(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("user_id,city,plan\n007,Bonn,free\nu2,Berlin,\n")
    assert read_groups(path) == {"city": {"007": "Bonn", "u2": "Berlin"}, "plan": {"007": "free"}}


@pytest.mark.parametrize("text", ["shopper,city\nu1,Bonn\n", "user_id\nu1\n"])
def test_a_table_without_shoppers_or_groups_is_refused(tmp_path, text):
    path = tmp_path / "groups.csv"
    path.write_text(text)
    with pytest.raises(
        SchemaError, match=r"groups\.csv must have a column user_id and one or more"
    ):
        read_groups(path)


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileError, match=r"There is no .*none\.csv"):
        read_groups(tmp_path / "none.csv")
