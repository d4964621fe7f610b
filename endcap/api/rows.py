"""Another log in a model's own numbers: known items and campaigns first, in the model's rows."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from endcap.artifact import Artifact
from endcap.schema import Campaigns, Dataset, Histories


def align(dataset: Dataset, artifact: Artifact) -> Dataset:
    """Renumber a dataset's items and campaigns so that rows agree with the model's.

    Items that only the dataset knows follow the model's; so do campaigns.
    """
    known, found = artifact.catalogue.row_of(), dataset.catalogue.row_of()
    extra = [item_id for item_id in found if item_id not in known]
    later = np.array([found[item_id] for item_id in extra], dtype=np.int64)
    item_row = _renumbering(list(found), {**known, **_following(extra, len(known))})
    campaigns, campaign_row = _campaigns(dataset.campaigns, artifact.campaigns)
    events, shown = dataset.histories.events.copy(), dataset.impressions.copy()
    for table in (events, shown):
        table["item"] = _apply(table["item"], item_row)
        table["campaign"] = _apply(table["campaign"], campaign_row)
    return replace(
        dataset,
        catalogue=artifact.catalogue.followed_by(dataset.catalogue.chosen(later)),
        campaigns=campaigns,
        histories=Histories(events=events, offsets=dataset.histories.offsets),
        impressions=shown,
    )


def _following(ids: list[str], start: int) -> dict[str, int]:
    return {item_id: start + place for place, item_id in enumerate(ids)}


def _renumbering(ids: list[str], rows: dict[str, int]) -> NDArray[np.int32]:
    return np.array([rows[item_id] for item_id in ids], dtype=np.int32)


def _apply(values: NDArray[np.int32], rows: NDArray[np.int32]) -> NDArray[np.int32]:
    if len(rows) == 0:
        return values
    return np.where(values >= 0, rows[np.maximum(values, 0)], values).astype(np.int32)


def _campaigns(found: Campaigns, known: Campaigns) -> tuple[Campaigns, NDArray[np.int32]]:
    extra = [campaign for campaign in found.rows if campaign.campaign_id not in known.row_of]
    joined = Campaigns(rows=known.rows + tuple(extra))
    rows = [joined.row_of[campaign.campaign_id] for campaign in found.rows]
    return joined, np.array(rows, dtype=np.int32)
