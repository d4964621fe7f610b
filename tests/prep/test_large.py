"""A large log, read in pieces, is what it would be read whole."""

import gzip
import random

import numpy as np
import polars as pl
import pytest

from endcap.prep import encode, gather, pieces, read

KINDS = ("view", "click", "purchase", "impression")


def rows(count: int = 400, seed: int = 3) -> list[dict[str, object]]:
    draw = random.Random(seed)
    made = []
    for number in range(count):
        item = draw.randrange(25)
        made.append(
            {
                "user_id": f"u{draw.randrange(30)}" if draw.random() > 0.02 else "",
                "item_id": f"i{item}",
                "event_type": draw.choice(KINDS),
                "timestamp": 1_772_000_000 + number * 977 // 3,
                "event_id": f"e{number if draw.random() > 0.05 else number - draw.randrange(90)}",
                "price": draw.choice(["9.5", "12", "-1", ""]),
                "title": f'Lamp "{item}",\nred' if draw.random() > 0.6 else "",
                "brand": draw.choice(["Acme", "", "Bolt"]),
                "decision_id": f"d{number // 7}",
            }
        )
    return made


def write(path, made):
    table = pl.DataFrame(made).with_columns(pl.col(pl.String).replace("", None))
    if path.suffix == ".jsonl":
        table.write_ndjson(path)
    elif path.suffix == ".parquet":
        table.write_parquet(path)
    else:
        table.write_csv(path, check_extension=False)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(path.read_bytes()))
    return path


@pytest.fixture
def in_pieces(monkeypatch):
    """Make every log a large one."""

    def small_pieces():
        monkeypatch.setattr(gather, "LARGE_BYTES", 0)
        monkeypatch.setattr(gather, "SHELF_BYTES", 5_000)
        monkeypatch.setattr(pieces, "PIECE_BYTES", 3_000)
        monkeypatch.setattr(pieces, "PIECE_ROWS", 37)

    return small_pieces


def assert_same(whole, parted):
    assert parted.report == whole.report
    assert parted.events.equals(whole.events)
    assert parted.rejected.equals(whole.rejected)
    assert (parted.items is None) == (whole.items is None)
    assert parted.items is None or parted.items.equals(whole.items)
    one, other = encode(whole), encode(parted)
    assert one.user_ids == other.user_ids
    assert one.catalogue.item_ids.tolist() == other.catalogue.item_ids.tolist()
    assert one.shop == other.shop
    for name in ("event_split", "impressions", "impression_split", "event_decision"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name
    assert one.histories.events.tobytes() == other.histories.events.tobytes()
    np.testing.assert_array_equal(one.histories.offsets, other.histories.offsets)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "csv.gz"])
@pytest.mark.parametrize("split", ["time", "leave_one_out"])
def test_pieces_give_what_the_whole_gives(tmp_path, in_pieces, ending, split):
    (tmp_path / "shop.toml").write_text(f'[split]\nkind = "{split}"\n')
    path = write(tmp_path / f"log.{ending}", rows())
    whole = read(path)
    in_pieces()
    parted = read(path)
    assert parted.shelves.count > 2
    assert isinstance(encode(parted).histories.events, np.memmap)
    assert whole.report.rejected > 20
    assert_same(whole, parted)


def test_a_guessed_log_of_several_files_is_the_same_in_pieces(tmp_path, in_pieces):
    made = rows()
    for number in range(3):
        write(tmp_path / f"part{number}.csv", made[number::3])
    whole = read(tmp_path)
    in_pieces()
    parted = read(tmp_path)
    assert parted.shelves.count > 2
    assert_same(whole, parted)


def test_rows_repeated_to_the_letter_are_found_across_pieces(tmp_path, in_pieces):
    (tmp_path / "shop.toml").write_text("[log]\ndrop_duplicates = true\n")
    made = [{**row, "event_id": ""} for row in rows()]
    path = write(tmp_path / "log.csv", made + made[::7])
    whole = read(path)
    in_pieces()
    parted = read(path)
    assert parted.shelves.count > 2
    assert {one.reason: one.count for one in parted.report.reasons}[
        "repeats an earlier row to the letter"
    ] >= 30
    assert_same(whole, parted)


def test_a_broken_line_costs_one_row_in_pieces_too(tmp_path, in_pieces):
    path = write(tmp_path / "log.csv", rows())
    lines = path.read_bytes().split(b"\n")
    lines[300] = b"u1,i1,view,1772000000,x,1,a,b,c,d,e,f,g"
    path.write_bytes(b"\n".join(lines))
    whole = read(path)
    in_pieces()
    parted = read(path)
    assert any(one.reason.startswith("broken line") for one in parted.report.reasons)
    assert sorted(parted.rejected.rows()) == sorted(whole.rejected.rows())
    assert parted.events.equals(whole.events)


@pytest.mark.parametrize(
    ("column", "early", "late", "why"),
    [
        ("user_id", "17850.0", "17850", r"user_id loses \.0"),
        ("timestamp", "01/02/2026 10:00", "13/02/2026 10:00", "timestamp day first"),
    ],
)
def test_a_habit_that_only_the_whole_tells_is_read_from_the_whole(
    tmp_path, in_pieces, column, early, late, why
):
    made = [{**row, column: early if at < 200 else late, "event_id": ""} for at, row in
            enumerate(rows())]  # fmt: skip
    for row in made:
        row["user_id"] = row["user_id"] or "9"
        row["price"] = "1"
    path = write(tmp_path / "log.csv", made)
    if column == "user_id":
        made[0]["user_id"] = "5"
    whole = read(write(path, made))
    in_pieces()
    parted = read(path)
    assert parted.shelves.count == 1
    (note,) = (note for note in parted.report.notes if "in one piece" in note)
    assert pl.Series([note]).str.contains(why).all()
    assert parted.events.equals(whole.events)
