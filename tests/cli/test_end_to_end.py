import json

import polars as pl
import pytest

SMALL = ("--shoppers", 60, "--items", 60, "--campaigns", 6, "--days", 5)


@pytest.mark.slow
def test_a_shop_goes_from_its_log_to_the_reasons_of_a_page(endcap, tmp_path):
    pytest.importorskip("torch")
    shop, model = tmp_path / "shop", tmp_path / "shop.model"
    lived = json.loads(endcap("world", "--out", shop, *SMALL, "--json").stdout)
    fitted = json.loads(endcap("fit", shop, "--out", model, "--epochs", 1, "--json").stdout)
    assert {"next", "click"} <= set(fitted["tasks"])
    assert {row["model"] for row in fitted["metrics"]} >= {"endcap", "popularity"}
    assert (fitted["rejected"], fitted["rejected_file"]) == (0, None)
    lists = tmp_path / "lists.parquet"
    listed = endcap("recommend", model, "--users", "all", "--limit", 3, "--out", lists)
    assert listed.exit_code == 0
    user_id, item_id = pl.read_parquet(lists).row(0)[0], pl.read_parquet(lists).row(0)[2]
    predicted = endcap("predict", model, "--user", user_id, "--item", item_id, "--json")
    (row,) = json.loads(predicted.stdout)["rows"]
    assert 0 < row["click"] < 1
    like = json.loads(endcap("similar", model, item_id, "--limit", 2, "--json").stdout)["rows"]
    assert item_id not in {row["item_id"] for row in like}
    why = next(command for command in lived["next"] if command.startswith("endcap why"))
    assert "stands in slot 0" in endcap(*why.split()[1:]).stdout
    measured = json.loads(endcap("evaluate", model, "--json").stdout)
    assert measured["metrics"] == fitted["metrics"]
    left = [".shop.model.run", "lists.parquet", "shop", "shop.model"]
    assert sorted(p.name for p in tmp_path.iterdir()) == left
    (curves,) = (tmp_path / ".shop.model.run").glob("*/*")  # no checkpoint stays
    assert curves.name.startswith("events.out.tfevents.")
