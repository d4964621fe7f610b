"""Questions to tensors: windows of one length side by side, candidates padded, labels flat."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from endcap.features import gap_bucket, history_inputs, phases
from endcap.model import CandidateBatch, HistoryBatch, QuestionBatch
from endcap.schema import Dataset
from endcap.train.augment import Augmentation
from endcap.train.batch import Batch, NextBatch, TargetBatch, label_batch, tensor_of
from endcap.train.examples import Examples
from endcap.train.targets import Target


class Batcher:
    """Cut examples into batches, and lay a batch out as tensors."""

    def __init__(
        self,
        dataset: Dataset,
        examples: Examples,
        targets: dict[str, Target],
        *,
        max_history: int,
        is_known: NDArray[np.bool_],
        device: torch.device,
        augmentation: Augmentation | None = None,
    ) -> None:
        self.dataset, self.examples, self.targets = dataset, examples, targets
        self.device = device
        self.augmentation = augmentation or Augmentation()
        starts = dataset.histories.offsets[examples.user]
        self.length = np.minimum(examples.visible - starts, max_history)
        self.num_candidates = np.diff(examples.candidates.offsets)
        # Windows start at a user's own events, so where they end tells them apart; empty ones are
        # all alike.
        self.window = np.where(self.length > 0, examples.visible, 0)
        self.is_known = is_known

    def cut(
        self,
        rows: NDArray[np.int64],
        batch_size: int,
        random: np.random.Generator,
        *,
        tokens: int | None = None,
    ) -> list[NDArray[np.int64]]:
        """Shuffle rows into batches whose windows are of about one length, in random order.

        Args:
            batch_size: questions of a batch at most.
            tokens: windows times the longest of them at most, padding counted; a window that is
                longer alone stands alone.
        """
        windows, row = np.unique(self.window[rows], return_inverse=True)
        # Questions of one window go together, so that it is read once; a batch has many windows.
        keys = (random.permutation(len(windows))[row], self.length[rows])
        ordered = rows[np.lexsort(keys)]
        start = int(random.integers(batch_size))
        batches = [part for part in self._parts(ordered, start, batch_size, tokens) if len(part)]
        return [batches[i] for i in random.permutation(len(batches))]

    def stretch(self, rows: NDArray[np.int64], batch_size: int, tokens: int) -> float:
        """Return how many times more batches the budget of tokens makes of rows."""
        ordered = rows[np.lexsort((self.window[rows], self.length[rows]))]
        count = sum(1 for _ in self._parts(ordered, batch_size, batch_size, tokens))
        return count / max(1, -(-len(rows) // batch_size))

    def _parts(
        self, ordered: NDArray[np.int64], first: int, batch_size: int, tokens: int | None
    ) -> Iterator[NDArray[np.int64]]:
        """Yield runs of rows that are ordered by length and window; the first has `first` rows."""
        start, size = 0, first
        while start < len(ordered):
            part = ordered[start : start + size]
            if tokens is not None and len(part):
                window = self.window[part]
                count = np.cumsum(np.append(True, window[1:] != window[:-1]))
                fitting = np.searchsorted(count * self.length[part], tokens, side="right")
                part = part[: max(1, int(fitting))]
            yield part
            start, size = start + len(part), batch_size

    def lay_out(self, rows: NDArray[np.int64], random: np.random.Generator | None = None) -> Batch:
        """Build the tensors of one batch; with `random`, as training varies it."""
        _, first, window = np.unique(self.window[rows], return_index=True, return_inverse=True)
        length = self.length[rows[first]]
        if random is not None:
            length = self.augmentation.cropped(length, random)
        asking = np.flatnonzero(self.num_candidates[rows])
        flat = _ranges(
            self.examples.candidates.offsets[rows[asking]], self.num_candidates[rows[asking]]
        )
        table = self.examples.candidates
        return Batch(
            history=self._history(rows[first], length, random),
            question=self._question(rows, window),
            next=self._next(rows),
            candidates=self._candidates(rows, asking, flat, length[window])
            if len(asking)
            else None,
            placement=self._padded(rows[asking], flat, table.placement, 0),
            slot=self._padded(rows[asking], flat, table.slot, 0),
            log_offset=self._padded(rows[asking], flat, table.log_offset, 0.0),
            targets=self._targets(rows[asking], flat),
        )

    def items_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the items of the questions' windows, [Q, T], as a history has them."""
        length, end = self.length[rows], self.examples.visible[rows]
        width = max(1, int(length.max(initial=0)))
        found = np.full((len(rows), width), -1, dtype=np.int64)
        filled = np.arange(width) < length[:, None]
        found[filled] = self.dataset.histories.events["item"][_ranges(end - length, length)]
        return found

    def _history(
        self,
        rows: NDArray[np.int64],
        lengths: NDArray[np.int64],
        random: np.random.Generator | None,
    ) -> HistoryBatch:
        events, shop = self.dataset.histories.events, self.dataset.shop
        windows = [
            events[end - length : end]
            for end, length in zip(self.examples.visible[rows], lengths, strict=True)
        ]
        inputs = history_inputs(windows, zone=shop.tzinfo, has_clock=shop.has_clock)
        if random is not None:
            inputs = replace(inputs, item=self.augmentation.masked(inputs.item, random))
        names = ("item", "action", "gap", "dwell", "is_ad", "clock", "length")
        return HistoryBatch(**{name: self._tensor(getattr(inputs, name)) for name in names})

    def _age(
        self, rows: NDArray[np.int64], length: NDArray[np.int64], width: int
    ) -> NDArray[np.int64]:
        """Return the bucket of the time between each event and each question, [Q, T]."""
        age = np.zeros((len(rows), width), dtype=np.int64)
        if self.dataset.shop.has_clock:
            event = _ranges(self.examples.visible[rows] - length, length)
            at_us = np.repeat(self.examples.at_us[rows], length)
            happened_us = self.dataset.histories.events["timestamp_us"][event]
            age[np.arange(width) < length[:, None]] = gap_bucket(at_us - happened_us)
        return age

    def _question(self, rows: NDArray[np.int64], window: NDArray[np.int64]) -> QuestionBatch:
        examples, shop = self.examples, self.dataset.shop
        at_us = examples.at_us[rows]
        since = np.zeros(len(rows), dtype=np.int64)
        clock = np.zeros((len(rows), 4), dtype=np.float32)
        if shop.has_clock:
            clock = phases(at_us, shop.tzinfo)
            last = self.dataset.histories.events["timestamp_us"][np.maximum(0, self._last(rows))]
            since = np.where(self.length[rows] > 0, gap_bucket(at_us - last), 0)
        return QuestionBatch(
            window=self._tensor(window),
            clock=self._tensor(clock),
            since=self._tensor(since),
            device=self._tensor(examples.device[rows].astype(np.int64)),
        )

    def _last(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.examples.visible[rows] - 1

    def _next(self, rows: NDArray[np.int64]) -> NextBatch:
        examples = self.examples
        starts, counts = examples.next_offsets[rows], np.diff(examples.next_offsets)[rows]
        flat = _ranges(starts, counts)
        question = np.repeat(np.arange(len(rows)), counts)
        known = self.is_known[examples.next_item[flat]]
        flat, question = flat[known], question[known]
        pairs = question * 256 + examples.next_action[flat]
        unique, row = np.unique(pairs, return_inverse=True)
        return NextBatch(
            question=self._tensor(unique // 256),
            action=self._tensor(unique % 256),
            row=self._tensor(row.astype(np.int64)),
            item=self._tensor(examples.next_item[flat].astype(np.int64)),
            weight=self._tensor(examples.next_weight[flat]),
        )

    def _candidates(
        self,
        rows: NDArray[np.int64],
        asking: NDArray[np.int64],
        flat: NDArray[np.int64],
        length: NDArray[np.int64],
    ) -> CandidateBatch:
        table, counts = self.examples.candidates, self.num_candidates[rows[asking]]
        context = np.zeros((len(asking), counts.max(), table.context.shape[1]), dtype=np.float32)
        context[np.arange(counts.max()) < counts[:, None]] = table.context[flat]
        width = max(1, int(length.max()))
        return CandidateBatch(
            question=self._tensor(asking),
            age=self._tensor(self._age(rows[asking], length[asking], width)),
            item=self._padded(rows[asking], flat, table.item, -1),
            campaign=self._padded(rows[asking], flat, table.campaign + 1, 0),
            context=self._tensor(context),
            ad_item=self._tensor(self.examples.ad_item[rows[asking]].astype(np.int64)),
            ad_campaign=self._tensor(self.examples.ad_campaign[rows[asking]].astype(np.int64) + 1),
        )

    def _padded(
        self,
        rows: NDArray[np.int64],
        flat: NDArray[np.int64],
        values: NDArray[np.generic],
        absent: float,
    ) -> Tensor:
        counts = self.num_candidates[rows]
        dtype = np.float32 if values.dtype.kind == "f" else np.int64
        out = np.full((len(rows), counts.max(initial=0)), absent, dtype=dtype)
        out[np.arange(out.shape[1]) < counts[:, None]] = values[flat]
        return self._tensor(out)

    def _targets(self, rows: NDArray[np.int64], flat: NDArray[np.int64]) -> dict[str, TargetBatch]:
        counts = self.num_candidates[rows]
        width = counts.max(initial=0)
        place = np.flatnonzero(np.arange(width) < counts[:, None])
        found = {}
        for name, target in self.targets.items():
            asked = target.asked[flat]
            if asked.any():
                found[name] = label_batch(target, flat[asked], place[asked], self.device)
        return found

    def _tensor(self, values: NDArray[np.generic]) -> Tensor:
        return tensor_of(values, self.device)


def _ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the concatenation of `arange(start, start + count)`."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    places: NDArray[np.int64] = np.arange(total) + np.repeat(starts - (ends - counts), counts)
    return places
