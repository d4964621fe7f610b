"""Which ad a question names: a campaign, or an item that one advertises."""

import numpy as np

from endcap.artifact import Artifact
from endcap.errors import QueryError
from endcap.schema import NO_ITEM, Ad

EXAMPLES = 3


def ad_named(artifact: Artifact, row_of_item: dict[str, int], name: str) -> Ad:
    """Return the ad of a campaign's id, or of an item's: of several the one that was shown most.

    Raises:
        QueryError: the log shows no ads, nothing is called so, or the item is no ad.
    """
    pairs = _pairs(artifact, row_of_item)
    if not len(artifact.arrays["shown_ads"]):
        raise QueryError(
            "The log that this model learned from shows no ads beside which purchases are asked; "
            "leave the ad out."
        )
    campaign, item = artifact.campaigns.row_of.get(name), row_of_item.get(name)
    if campaign is not None:
        found = [pair for pair in pairs if pair[1] == campaign]
        return Ad(item=found[0][0] if found else NO_ITEM, campaign=campaign)
    if item is None:
        raise QueryError(
            f"ad must be a campaign, or an item that one advertises, such as "
            f"{_such_as(artifact, pairs)}; the model knows no {name!r}."
        )
    found = [pair for pair in pairs if pair[0] == item]
    if not found:
        raise QueryError(
            f"Item {name!r} is no ad: no campaign advertises it; "
            f"ads are for instance {_such_as(artifact, pairs)}."
        )
    return Ad(item=item, campaign=found[0][1])


def _pairs(artifact: Artifact, row_of_item: dict[str, int]) -> list[tuple[int, int]]:
    """List items and campaigns, what was shown most first, then what campaigns name besides."""
    shown = artifact.arrays["shown_ads"]
    ordered = shown[np.argsort(-shown[:, 2], kind="stable")]
    pairs = [(int(item), int(campaign)) for item, campaign, _ in ordered]
    pairs += [
        (row_of_item[item_id], row)
        for row, campaign in enumerate(artifact.campaigns.rows)
        for item_id in campaign.item_ids
        if item_id in row_of_item
    ]
    return list(dict.fromkeys(pairs))


def _such_as(artifact: Artifact, pairs: list[tuple[int, int]]) -> str:
    ids = artifact.catalogue.item_ids
    names = [artifact.campaigns.rows[pairs[0][1]].campaign_id]
    names += [str(ids[item]) for item, _ in pairs[:EXAMPLES] if item >= 0]
    return ", ".join(dict.fromkeys(names))
