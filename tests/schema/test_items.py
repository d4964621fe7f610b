"""Items and campaigns by column."""

import numpy as np
import pytest

from endcap.schema import Campaign, Campaigns, Catalogue, leaf_category, top_category


def test_a_catalogue_of_ids_knows_nothing_else():
    catalogue = Catalogue.of_ids(["b", "a"])
    assert catalogue.num_items == 2
    assert catalogue.row_of() == {"b": 0, "a": 1}
    assert catalogue.attributes.tolist() == [(), ()]
    assert catalogue.titles.tolist() == ["", ""]
    assert catalogue.price_micros.tolist() == catalogue.stock.tolist() == [-1, -1]
    assert catalogue.available.all()
    assert catalogue.created_at_us.tolist() == [0, 0]
    assert {len(column) for column in vars(catalogue).values()} == {2}
    assert Catalogue.of_ids([]).num_items == 0


@pytest.mark.parametrize(
    ("path", "top", "leaf"),
    [
        ("Shoes > Running|Sale", "Shoes", "Shoes > Running"),
        ("Shoes>Running>  Trail ", "Shoes", "Shoes > Running > Trail"),
        ("Hats", "Hats", "Hats"),
        ("", "", ""),
    ],
)
def test_a_path_has_a_top_and_a_finest_level(path, top, leaf):
    assert (top_category(path), leaf_category(path)) == (top, leaf)


def test_campaigns_are_found_by_id():
    rows = tuple(
        Campaign(
            campaign_id=name,
            advertiser_id="a",
            item_ids=("i",),
            bid_micros=1,
            daily_budget_micros=2,
        )
        for name in ("c1", "c0")
    )
    campaigns = Campaigns(rows=rows)
    assert (len(campaigns), campaigns.row_of) == (2, {"c1": 0, "c0": 1})
    assert len(Campaigns()) == 0
    assert np.array_equal(rows[0].dayparts, np.arange(24))
