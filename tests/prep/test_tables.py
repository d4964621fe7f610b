import gzip

import polars as pl
import pytest

from endcap.errors import FileError
from endcap.prep.sources import find_sources
from endcap.prep.tables import FILE, PLACE, ROW, read_table


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def rows(table):
    return table.frame.drop(FILE, PLACE).rows()


def test_text_stays_text_and_lines_count_as_in_an_editor(tmp_path):
    table = read_table(write(tmp_path / "a.csv", "a,b\n007,x\n\n8,y\n"))
    assert rows(table) == [(2, "007", "x"), (4, "8", "y")]


def test_a_quoted_text_of_two_lines_shifts_the_lines_after_it(tmp_path):
    table = read_table(write(tmp_path / "a.csv", 'a,b\n1,"x\ny"\n2,z\n'))
    assert rows(table) == [(2, "1", "x\ny"), (4, "2", "z")]


def test_a_csv_line_with_too_many_fields_costs_itself_alone(tmp_path):
    table = read_table(write(tmp_path / "a.csv", "a,b\n1,2,3\n4,5\n"))
    assert rows(table) == [(3, "4", "5")]
    assert table.broken.rows() == [
        ("a.csv", 2, "broken line: 3 fields where the header has 2", "1,2,3")
    ]


def test_a_quote_that_is_never_closed_costs_its_line_alone(tmp_path):
    table = read_table(write(tmp_path / "a.csv", 'a,b\n1,"x\n4,5\n6,"7\n8"\n'))
    assert rows(table) == [(3, "4", "5"), (4, "6", "7\n8")]
    assert table.broken["row"].to_list() == [2]
    assert table.broken["reason"].to_list() == ["broken line: a quote is not closed"]


def test_semicolons_windows_line_ends_and_latin_letters_are_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("a;b\r\n1;Größe\r\n".encode("latin-1"))
    assert rows(read_table(path)) == [(2, "1", "Größe")]


def test_a_gzipped_csv_is_read(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert rows(read_table(path)) == [(2, "1", "2")]


def test_a_json_line_that_is_broken_costs_itself_alone(tmp_path):
    text = '{"a": "1", "b": 2}\n{"a": \n\n[1]\n{"a": "3"}\n'
    table = read_table(write(tmp_path / "a.jsonl", text))
    assert rows(table) == [(1, "1", "2"), (5, "3", None)]
    assert table.broken["row"].to_list() == [2, 4]
    assert table.broken["reason"][0].startswith("broken line: no JSON")
    assert table.broken["reason"][1] == "broken line: no JSON object"


def test_parquet_rows_count_from_one(tmp_path):
    pl.DataFrame({"a": [5, 6]}).write_parquet(tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet").frame[ROW].to_list() == [1, 2]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", r"a\.csv is empty"),
        ("a.csv", b"PAR1....", r"a\.csv ends in \.csv .* looks like parquet; rename it to a\.par"),
        ("a.parquet", b"a,b\n1,2\n", r"a\.parquet ends in \.parquet .* looks like csv; rename"),
        (
            "a.jsonl",
            b"a,b\n1,2\n",
            r"a\.jsonl ends in \.jsonl but its first line is no JSON object",
        ),
        ("a.csv", b'{"a": 1}\n', r"a\.csv ends in \.csv but its first line is a JSON object"),
        ("a.csv", b"\x00\x01\x02", r"a\.csv ends in \.csv but holds no text"),
        ("a.parquet", b"PAR1 and no more", r"a\.parquet is damaged: .*export it again"),
        ("a.csv.gz", b"a,b\n1,2\n", r"a\.csv\.gz cannot be read"),
        ("a.xlsx", b"x", r"Endcap reads \.csv, .*got a\.xlsx; write the table in one of these"),
    ],
)
def test_a_file_that_is_not_what_its_ending_says_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=message):
        read_table(tmp_path / name)


def test_a_shops_folder_is_sorted_into_its_parts(tmp_path):
    names = ["events.csv", "items.csv", "campaigns.csv", "subjects.csv", "decisions.jsonl",
             "rejected.jsonl", "other.csv", "shop.toml"]  # fmt: skip
    for name in names:
        write(tmp_path / name, "x\n")
    sources = find_sources(tmp_path)
    assert [file.name for file in sources.events] == ["events.csv"]
    assert sources.items == tmp_path / "items.csv"
    assert sources.decisions == tmp_path / "decisions.jsonl"
    assert sources.shop == tmp_path / "shop.toml"
    assert [file.name for file in sources.left] == ["other.csv"]


def test_a_folder_without_events_star_is_all_its_other_files(tmp_path):
    for name in ("b.csv", "a.csv", "item_attributes.csv"):
        write(tmp_path / name, "x\n")
    sources = find_sources(tmp_path)
    assert [file.name for file in sources.events] == ["a.csv", "b.csv"]
    assert sources.items == tmp_path / "item_attributes.csv"


def test_an_empty_folder_says_what_to_put_there(tmp_path):
    with pytest.raises(FileError, match=r"holds no events; put events\.csv"):
        find_sources(tmp_path)
