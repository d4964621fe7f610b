"""Two ONNX graphs at work: a history is read once, then asked about candidates."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from endcap.artifact import Artifact
from endcap.features import gap_bucket, history_inputs, phases, split_history
from endcap.predict.state import Response, State
from endcap.predict.vectors import ItemVectors
from endcap.schema import NUM_PHASES, Ad, Events


class Graphs:
    """Runs two graphs of a model folder in fp32, `read.onnx` and `respond.onnx` or others.

    Attributes:
        width: columns of item vectors that the graphs read; the first ones, where all are more.
    """

    def __init__(
        self, artifact: Artifact, items: ItemVectors, *, threads: int, suffix: str = ""
    ) -> None:
        if artifact.folder is None:
            raise AssertionError("an artifact must be on disk before it can predict")
        manifest = artifact.manifest
        self.items = items
        self._shop = manifest.shop
        self._next_action = manifest.next_action
        self._max_history = int(manifest.model["max_history"])
        self._num_campaigns = int(artifact.arrays["num_campaigns"][0])
        self._read = _session(artifact.folder / f"read{suffix}.onnx", threads)
        self._respond = _session(artifact.folder / f"respond{suffix}.onnx", threads)
        self.width = _columns(self._read, "item")
        self._num_effects = _columns(self._respond, "of_item")
        self._num_kinds = _columns(self._respond, "event_kind")

    def window(self, history: Events) -> Events:
        """Return the events that are read: the latest that are no impressions."""
        return split_history(history)[0][-self._max_history :]

    def read_one(
        self, history: Events, at_us: int, device: int, action: int | None = None
    ) -> State:
        """Read the window of one shopper's history."""
        return self.read([self.window(history)], at_us, device, action)

    def read(
        self, windows: list[Events], at_us: int, device: int, action: int | None = None
    ) -> State:
        """Read windows of events at once, all asked at one instant."""
        shop = self._shop
        inputs = history_inputs(windows, zone=shop.tzinfo, has_clock=shop.has_clock)
        age = np.zeros(inputs.item.shape, dtype=np.int64)
        clock = np.zeros((len(windows), NUM_PHASES), dtype=np.float32)
        since = np.zeros(len(windows), dtype=np.int64)
        if shop.has_clock:
            clock[:] = phases(np.array([at_us], dtype=np.int64), shop.tzinfo)
            for row, window in enumerate(windows):
                if len(window):
                    age[row, : len(window)] = gap_bucket(at_us - window["timestamp_us"])
                    since[row] = age[row, len(window) - 1]
        item = self._gather(inputs.item)
        asked = self._next_action if action is None else action
        device_ = np.full(len(windows), device, dtype=np.int64)
        states, last, users = self._read.run(
            None,
            {
                "item": item,
                "action": inputs.action,
                "gap": inputs.gap,
                "dwell": inputs.dwell,
                "is_ad": inputs.is_ad,
                "clock": inputs.clock,
                "length": inputs.length,
                "question_clock": clock,
                "since": since,
                "device": device_,
                "target_action": np.full(len(windows), asked, dtype=np.int64),
            },
        )
        return State(
            states=states,
            last=last,
            users=users,
            age=age,
            group=np.where(inputs.item >= 0, self.items.groups[inputs.item], 0),
            kinds=self.items.kinds[inputs.item] * (inputs.item >= 0)[..., None],
            action=inputs.action,
            length=inputs.length,
            clock=clock,
            since=since,
            device=device_,
        )

    def respond(
        self,
        state: State,
        item: NDArray[np.int32],
        campaign: NDArray[np.int32],
        context: NDArray[np.float32],
        ad: Ad | None = None,
        changed: Mapping[str, NDArray[np.generic]] | None = None,
    ) -> Response:
        """Ask candidates [B, C] of B histories; an item of -1 asks of the shopper alone.

        Args:
            ad: an ad on the page of all.
            changed: inputs of the graph, by name, that stand in for the candidates' own.
        """
        parts, present = self.items.parts(item, self.width)
        is_item = item >= 0
        inputs = (
            {
                "parts": parts,
                "present": present,
                "of_item": self.items.effects[item, : self._num_effects]
                * is_item[..., None].astype(np.float32),
                "campaign": self._known_campaigns(campaign),
                "context": context,
                "states": state.states,
                "last": state.last,
                "question_clock": state.clock,
                "since": state.since,
                "device": state.device,
                "age": state.age,
                "length": state.length,
                "item_group": self.items.groups[item] * is_item.astype(np.int64),
                "event_group": state.group,
                "event_kind": state.kinds[..., : self._num_kinds],
                "action": state.action,
            }
            | self._ad_inputs(ad, item)
            | dict(changed or {})
        )
        if not self._num_kinds:  # the graph has no such input
            del inputs["event_kind"]
        answers, events, dimensions = self._respond.run(None, inputs)
        return Response(answers=answers.astype(np.float64), events=events, dimensions=dimensions)

    def _known_campaigns(self, campaign: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return rows + 1, 0 for a product.

        An ad of a campaign that the fit never met is an ad all the same, of an average campaign.
        """
        return np.minimum(campaign.astype(np.int64), self._num_campaigns) + 1

    def _ad_inputs(self, ad: Ad | None, item: NDArray[np.int32]) -> dict[str, NDArray[np.generic]]:
        row = -1 if ad is None else ad.item
        campaign = np.full(len(item), -1 if ad is None else ad.campaign, dtype=np.int32)
        rows = np.full(len(item), row, dtype=np.int64)
        return {
            "ad_item": self._gather(rows),
            "ad_campaign": self._known_campaigns(campaign),
            "ad_group": np.where(rows >= 0, self.items.groups[np.maximum(rows, 0)], 0),
            "is_ads_own": ((item == row) & (row >= 0)).astype(np.float32),
        }

    def _gather(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        vectors = self.items.vectors[:, : self.width]
        return vectors[np.maximum(rows, 0)] * (rows >= 0)[..., None].astype(np.float32)


def _columns(session: ort.InferenceSession, name: str) -> int:
    """Return the last size of an input, 0 where the graph has none of that name."""
    return int(next((x.shape[-1] for x in session.get_inputs() if x.name == name), 0))


def _session(path: Path, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
