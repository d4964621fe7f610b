import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from endcap.errors import ConfigError
from endcap.prep import encode, read
from endcap.schema import Action, Flag, ShopConfig

HEADER = (
    "user_id,item_id,event_type,timestamp,dwell_ms,censored,placement,slot,device,decision_id,"
    "price\n"
)
ROWS = (
    "u2,i9,impression,2026-03-01T10:00:05Z,,,home,0,desktop,p1,\n"
    "u2,i5,impression,2026-03-01T10:00:05Z,,,home,1,desktop,p1,\n"
    "u1,i5,impression,2026-03-01T10:00:00Z,,,cart,0,iOS,p0,\n"
    "u2,i9,click,2026-03-01T10:00:09Z,1200,true,home,0,desktop,p1,3.50\n"
    "u1,i5,purchase,2026-03-03T10:00:00Z,,,,,,p7,3\n"
    "u1,i1,view,2026-03-01T10:00:01Z,,,,,,,\n"
)


@pytest.fixture
def dataset(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(HEADER + ROWS)
    return encode(read(path))


def test_users_and_items_are_numbered_by_first_appearance_in_time(dataset):
    assert dataset.user_ids == ["u1", "u2"]
    assert dataset.catalogue.item_ids.tolist() == ["i5", "i1", "i9"]


def test_histories_are_sorted_by_user_then_time_without_impressions(dataset):
    assert dataset.histories.offsets.tolist() == [0, 2, 3]
    events = dataset.histories.events
    assert events["item"].tolist() == [1, 0, 2]
    assert events["action"].tolist() == [Action.VIEW, Action.PURCHASE, Action.CLICK]
    assert events["dwell_ms"].tolist() == [-1, -1, 1200]
    assert events["price_micros"].tolist() == [-1, 3_000_000, 3_500_000]
    assert events["flags"].tolist() == [0, 0, Flag.CENSORED]
    assert events["slot"].tolist() == [255, 255, 0]


def test_impressions_are_sorted_by_time_and_share_decisions_with_events(dataset):
    shown = dataset.impressions
    assert shown["user"].tolist() == [0, 1, 1]
    assert shown["item"].tolist() == [0, 2, 0]
    assert shown["decision"].tolist() == [0, 1, 1]
    assert shown["device"].tolist() == [2, 1, 1]
    assert shown["placement"].tolist() == [0, 1, 1]
    assert dataset.shop.placements == ("cart", "home")
    assert dataset.event_decision.tolist() == [-1, -1, 1]
    assert np.isnan(shown["propensity"]).all()


def test_named_placements_keep_their_numbers(tmp_path):
    (tmp_path / "events.csv").write_text(HEADER + ROWS)
    log = read(tmp_path / "events.csv", shop=ShopConfig(placements=("home", "search")))
    assert encode(log).shop.placements == ("home", "search", "cart")


def test_rows_of_one_instant_stay_in_the_files_order(tmp_path):
    rows = "".join(f"u{k % 2},i{k},view,2026-03-01,,,,,,,\n" for k in (3, 1, 2, 0, 5))
    (tmp_path / "events.csv").write_text(HEADER + rows)
    dataset = encode(read(tmp_path / "events.csv"))
    assert [dataset.catalogue.item_ids[item] for item in dataset.histories.of(1)["item"]] == [
        "i3", "i1", "i5"]  # fmt: skip


def test_items_of_the_catalogue_come_first_in_its_order(tmp_path):
    (tmp_path / "events.csv").write_text(HEADER + ROWS)
    (tmp_path / "items.csv").write_text("item_id,title\ni9,Nine\ni7,Seven\n")
    dataset = encode(read(tmp_path))
    assert dataset.catalogue.item_ids.tolist() == ["i9", "i7", "i5", "i1"]
    assert dataset.catalogue.titles.tolist() == ["Nine", "Seven", "", ""]


def test_campaigns_of_the_file_come_first_then_those_of_the_log(tmp_path):
    (tmp_path / "events.csv").write_text(
        "user_id,item_id,event_type,timestamp,campaign_id\n"
        "u1,i1,click,2026-03-01,c9\nu2,i2,click,2026-03-02,c1\nu2,i2,click,2026-03-05,\n"
    )
    (tmp_path / "campaigns.csv").write_text("campaign_id,bid\nc1,0.5\n")
    dataset = encode(read(tmp_path))
    assert [(row.campaign_id, row.bid_micros) for row in dataset.campaigns.rows] == [
        ("c1", 500_000), ("c9", 0)]  # fmt: skip
    assert dataset.histories.events["campaign"].tolist() == [1, 0, -1]


def test_the_shop_keeps_only_tasks_that_the_log_unlocks(dataset):
    assert [task.name for task in dataset.shop.tasks] == [
        "next",
        "click",
        "dwell",
        "buy",
        "purchase",
        "any_purchase",
        "return",
        "clicks",
    ]


def test_too_many_placements_are_an_error(tmp_path):
    rows = "".join(f"u{k % 2},i{k % 2},view,2026-03-01,,,page{k},,,,\n" for k in range(257))
    (tmp_path / "events.csv").write_text(HEADER + rows)
    with pytest.raises(ConfigError, match="at most 256 placements, this log has 257"):
        encode(read(tmp_path / "events.csv"))


def test_impressions_of_a_log_left_one_out_are_split_at_each_users_own_instants(tmp_path):
    rows = [("u1", "i1", "view", 0), ("u1", "i2", "view", 1), ("u1", "i1", "impression", 2),
            ("u1", "i1", "view", 2), ("u2", "i1", "impression", 5)]  # fmt: skip
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "event_type", "pos"], orient="row")
    frame.write_csv(tmp_path / "events.csv")
    (tmp_path / "shop.toml").write_text(
        '[log]\nresolution = "order"\n[log.columns]\ntimestamp = "pos"\n'
    )
    dataset = encode(read(tmp_path))
    assert dataset.event_split.tolist() == [0, 1, 2]
    assert dataset.impression_split.tolist() == [2, 0]
    assert dataset.shop.split.kind == "leave_one_out"


EVENT = st.tuples(
    st.sampled_from(["u1", "u2", "u3"]),
    st.sampled_from(["i1", "i2", "i3"]),
    st.sampled_from(["view", "impression"]),
    st.integers(10, 20),
)


@given(past=st.lists(EVENT, max_size=10), future=st.lists(EVENT, max_size=10))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_comes_later_changes_no_earlier_number(past, future, tmp_path):
    past = [("u9", "i9", "view", 10), ("u8", "i8", "view", 10), *past]
    later = [(user, item, kind, at + 11) for user, item, kind, at in future]
    short, long = (_encode(tmp_path, rows) for rows in (past, [*later, *past]))
    users, items = len(short.user_ids), short.catalogue.num_items
    assert long.user_ids[:users] == short.user_ids
    assert long.catalogue.item_ids[:items].tolist() == short.catalogue.item_ids.tolist()
    for user in range(users):
        known = short.histories.of(user)
        assert long.histories.of(user)[: len(known)].tolist() == known.tolist()
    shown = short.impressions
    for name in ("timestamp_us", "user", "item", "decision"):
        assert long.impressions[name][: len(shown)].tolist() == shown[name].tolist()


def _encode(tmp_path, rows):
    frame = pl.DataFrame(
        rows, schema=["user_id", "item_id", "event_type", "timestamp"], orient="row"
    ).with_columns(decision_id=pl.format("d{}-{}", "user_id", "timestamp"))
    frame.write_csv(tmp_path / "events.csv")
    return encode(read(tmp_path / "events.csv", shop=ShopConfig()))
