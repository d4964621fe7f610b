import pytest

from endcap.errors import SchemaError
from endcap.prep.campaigns import read_campaigns
from endcap.prep.tables import read_table
from endcap.schema import Campaign, ShopConfig


def campaigns_of(tmp_path, text):
    path = tmp_path / "campaigns.csv"
    path.write_text(text, encoding="utf-8")
    return read_campaigns(read_table(path), ShopConfig(), file=path.name)


def test_a_campaign_is_read_whole(tmp_path):
    rows, rejected = campaigns_of(
        tmp_path,
        "campaign_id,advertiser_id,item_ids,bid,daily_budget,start_at,end_at,dayparts,placements\n"
        "c1,adv,i1|i2,0.25,10,2026-03-01,2026-04-01T00:00:00Z,8|9,home|cart\n"
        "c2,,,1,0,,,,\n",
    )
    assert rejected.is_empty()
    assert rows[0] == Campaign(
        campaign_id="c1", advertiser_id="adv", item_ids=("i1", "i2"), bid_micros=250_000,
        daily_budget_micros=10_000_000, start_at_us=1_772_323_200_000_000,
        end_at_us=1_775_001_600_000_000, dayparts=(8, 9), placements=("home", "cart"),
    )  # fmt: skip
    assert rows[1] == Campaign(
        campaign_id="c2", advertiser_id="", item_ids=(), bid_micros=1_000_000, daily_budget_micros=0
    )


def test_micros_are_taken_as_they_are(tmp_path):
    rows, _ = campaigns_of(tmp_path, "campaign_id,bid_micros,daily_budget_micros\nc1,5,7\n")
    assert (rows[0].bid_micros, rows[0].daily_budget_micros) == (5, 7)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("c2,1,cpm,", "bid_type cpm is not known yet; campaigns pay by the click (cpc)"),
        ("c1,1,cpc,", "campaign_id occurs twice"),
        (",1,cpc,", "no campaign_id"),
        ("c2,-1,cpc,", "negative bid"),
        ("c2,1,cpc,24", "dayparts must be hours from 0 to 23, separated by |"),
    ],
)
def test_a_campaign_that_cannot_run_is_rejected_with_the_reason(tmp_path, row, reason):
    rows, rejected = campaigns_of(tmp_path, f"campaign_id,bid,bid_type,dayparts\nc1,1,,\n{row}\n")
    assert [campaign.campaign_id for campaign in rows] == ["c1"]
    assert rejected.select("row", "reason").rows() == [(3, reason)]


def test_campaigns_without_ids_name_their_columns(tmp_path):
    with pytest.raises(SchemaError, match=r"campaigns\.csv needs a column campaign_id"):
        campaigns_of(tmp_path, "x,bid\n1,2\n")
