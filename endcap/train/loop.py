"""The training loop: plain PyTorch, resumable after a kill, the same weights for the same seed."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from endcap.model import ItemRows, Network
from endcap.train.augment import perturbation
from endcap.train.averaging import Averaged
from endcap.train.batch import Batch
from endcap.train.batches import Batcher
from endcap.train.checkpoint import Progress, read_checkpoint, write_checkpoint
from endcap.train.curves import NDCG, Epoch
from endcap.train.losses import TaskLoss, batch_losses
from endcap.train.negatives import Negatives, NegativeSampler, needed_items
from endcap.train.optimisers import clip_gradients, make_optimisers
from endcap.train.recipes import TrainConfig
from endcap.train.value import ValueWeights
from endcap.train.weighting import TaskWeights

Report = Callable[[str, int, int], None]
"""Called with what is being done, steps done and steps in all; draws the progress bar."""

Watch = Callable[[Epoch], None]
"""Called after each epoch; those that a resumed fit has behind it come first, in order."""


def no_report(what: str, done: int, total: int) -> None:
    """Report nothing."""


def no_watch(epoch: Epoch) -> None:
    """Let an epoch pass."""


@dataclass(kw_only=True)
class Trainer:
    """Train a network on the questions of training days, and stop by those of validation days.

    Attributes:
        scales: nats by which each task's loss is divided: the entropy of its constant predictor.
        rates: asked rows per batch, so that a task's sum over a batch has the mean's size.
        weights: lambda_k, less for a task with few events.
        ridge: strength of each task's prior on its own weights.
        sampler: draws negatives for a catalogue of many items.
        value: weighs dwell and purchase by attention and money while training; validation stays as
            it is, so that figures compare.
    """

    network: Network
    batcher: Batcher
    config: TrainConfig
    train_rows: NDArray[np.int64]
    validation_rows: NDArray[np.int64]
    scales: dict[str, float]
    rates: dict[str, float]
    weights: dict[str, float]
    ridge: dict[str, float]
    sampler: NegativeSampler | None = None
    value: ValueWeights | None = None
    run_folder: Path | None = None
    report: Report = no_report
    watch: Watch = no_watch

    def __post_init__(self) -> None:
        self.weighting = TaskWeights(list(self.scales), self.config.weighting)
        self.weighting.to(next(self.network.parameters()).device)
        self.optimisers = make_optimisers(
            self.network,
            rate=self.config.learning_rate,
            weight_decay=self.config.weight_decay,
            by_row=self.sampler is not None,
        )
        self.optimisers += self.weighting.optimiser(self.config.learning_rate)
        size = min(len(self.train_rows), self.config.questions_per_epoch)
        stretch = self.batcher.stretch(self.train_rows, self.config.batch_size, self.config.tokens)
        self.steps_per_epoch = max(1, math.ceil(size / self.config.batch_size * stretch))
        self.schedules = [
            torch.optim.lr_scheduler.LambdaLR(each, self._rate) for each in self.optimisers
        ]
        self.averaged = Averaged(self._to_average(), self.config.averaged_steps)

    def fit(self) -> Progress:
        """Run the epochs that are left and leave the best epoch's weights in the network."""
        progress = self._resume()
        for epoch in progress.history:
            self.watch(epoch)
        while progress.epoch < self.config.epochs and not self._is_stale(progress):
            started = time.perf_counter()
            objective, train = self._train_epoch(progress.epoch)
            with self.averaged.serving():
                losses = self.validation_losses()
                # Without validation days the last epoch is as good a guess as any.
                total = self.combined(losses) if losses else -float(progress.epoch)
                if total < progress.best_loss:
                    progress.best_loss, progress.best_epoch = total, progress.epoch
                    state = self.network.state_dict()
                    progress.best_weights = {name: t.detach().clone() for name, t in state.items()}
            progress.epoch += 1
            progress.history.append(
                Epoch(
                    epoch=progress.epoch,
                    seconds=time.perf_counter() - started,
                    learning_rate=float(self.schedules[0].get_last_lr()[0]),
                    objective=objective,
                    figure=total,
                    train=train,
                    validation=losses,
                )
            )
            self._save(progress)
            self.watch(progress.history[-1])
        if progress.best_weights:
            self.network.load_state_dict(progress.best_weights)
        return progress

    def _to_average(self) -> list[Tensor]:
        """List the weights that are served as an average: all but a table of many items' ids."""
        by_row = self.sampler is not None
        ids = self.network.items.ids
        moved = (each for each in self.network.parameters() if each.requires_grad)
        return [each for each in moved if not (by_row and each is ids)]

    def combined(self, losses: dict[str, float]) -> float:
        """Return the figure by which the best epoch is chosen: sum_k lambda_k L_k / H_k.

        The next item counts by 1 - NDCG@10 in place of its loss: on sparse logs the likelihood
        turns two epochs before the ranking does.
        """
        total = 0.0
        for name, loss in losses.items():
            if name.endswith(NDCG):
                total += self.weights[name.removesuffix(NDCG)] * (1.0 - loss)
            elif name + NDCG not in losses:
                total += self.weights[name] * loss / self.scales[name]
        return total

    def validation_losses(self) -> dict[str, float]:
        """Return each task's mean loss on validation days, in nats, and the next item's NDCG."""
        self.network.eval()
        sums: dict[str, float] = {}
        counts: dict[str, int] = {}
        gains: dict[str, float] = {}
        random = np.random.default_rng(self.config.seed)
        with torch.no_grad():
            vectors = self.network.items()
            tokens = 2 * self.config.tokens  # no gradient is kept
            for rows in self.batcher.cut(self.validation_rows, 512, random, tokens=tokens):
                batch = self.batcher.lay_out(rows)
                for name, loss in batch_losses(self.network, batch, vectors).items():
                    sums[name] = sums.get(name, 0.0) + float(loss.total)
                    counts[name] = counts.get(name, 0) + loss.count
                    if loss.gain is not None:
                        gains[name] = gains.get(name, 0.0) + loss.gain
        means = {name: sums[name] / counts[name] for name in sums}
        return means | {name + NDCG: gains[name] / counts[name] for name in gains}

    def _train_epoch(self, epoch: int) -> tuple[float, dict[str, float]]:
        """Return the mean of what was minimised, and each task's mean loss on the way, in nats."""
        # All randomness of an epoch follows from seed and epoch, so a resumed fit is the same fit.
        torch.manual_seed(self.config.seed * 1_000 + epoch)
        random = np.random.default_rng([self.config.seed, epoch])
        rows = self.train_rows
        if len(rows) > self.config.questions_per_epoch:
            rows = random.choice(rows, size=self.config.questions_per_epoch, replace=False)
        self.network.train()
        size, tokens = self.config.batch_size, self.config.tokens
        total, batches = 0.0, self.batcher.cut(rows, size, random, tokens=tokens)
        sums: dict[str, float] = {}
        counts: dict[str, int] = {}
        for step, chosen in enumerate(batches):
            objective, losses = self._step(chosen, random)
            total += objective
            for name, loss in losses.items():
                sums[name] = sums.get(name, 0.0) + float(loss.total.detach())
                counts[name] = counts.get(name, 0) + loss.count
            self.report(f"epoch {epoch + 1} of {self.config.epochs}", step + 1, len(batches))
        return total / max(len(batches), 1), {name: sums[name] / counts[name] for name in sums}

    def _step(
        self, rows: NDArray[np.int64], random: np.random.Generator | None = None
    ) -> tuple[float, dict[str, TaskLoss]]:
        batch = self.batcher.lay_out(rows, random)
        vectors, negatives = self._vectors(batch)
        read = self.network.read(vectors, batch.history)
        losses = batch_losses(self.network, batch, vectors, negatives, read=read, value=self.value)
        if not losses:
            return 0.0, losses
        self.weighting.measure(self._means(losses), read[0])
        loss = self._scaled(losses)
        if self.config.adversarial > 0:
            loss = (loss + self._perturbed_loss(batch, vectors, loss, negatives)) / 2
        factors = self.weighting.factors()
        # A prior is worth so many rows: what weighs the rows weighs it as well.
        loss = loss + self.network.ridge({k: v * factors[k] for k, v in self.ridge.items()})
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        clip_gradients(list(self.network.parameters()), 5.0)
        for optimiser in self.optimisers:
            optimiser.step()
        self.averaged.follow()
        for schedule in self.schedules:
            schedule.step()
        return float(loss.detach()), losses

    def _vectors(self, batch: Batch) -> tuple[Tensor | ItemRows, Negatives | None]:
        """Return item vectors of all items, or of those that a step with draws needs."""
        if self.sampler is None:
            return self.network.items(), None
        negatives = self.sampler.draw()
        return self.network.items.only(needed_items(batch, negatives)), negatives

    def _scaled(self, losses: dict[str, TaskLoss]) -> Tensor:
        """Return the sum over tasks of what is minimised."""
        lambdas = self.weights if self.value is None else self.value.lambdas
        return self.weighting.combine(self._means(losses), lambdas)

    def _means(self, losses: dict[str, TaskLoss]) -> dict[str, Tensor]:
        """Return each task's loss in units of its constant answer's, per row that a batch asks."""
        return {
            name: part.total / (self.scales[name] * self.rates[name])
            for name, part in losses.items()
        }

    def _perturbed_loss(
        self,
        batch: Batch,
        vectors: Tensor | ItemRows,
        loss: Tensor,
        negatives: Negatives | None = None,
    ) -> Tensor:
        """Return the loss once item vectors have been moved to where it is larger."""
        whole = vectors if isinstance(vectors, Tensor) else vectors.vectors
        (gradient,) = torch.autograd.grad(loss, whole, retain_graph=True)
        moved = whole + perturbation(gradient, self.config.adversarial)
        asked = moved if isinstance(vectors, Tensor) else replace(vectors, vectors=moved)
        return self._scaled(batch_losses(self.network, batch, asked, negatives, value=self.value))

    def _rate(self, step: int) -> float:
        warmup = min(self.config.warmup_steps, self.steps_per_epoch)
        total = self.steps_per_epoch * self.config.epochs
        if step < warmup:
            return (step + 1) / warmup
        share = min(1.0, (step - warmup) / max(total - warmup, 1))
        return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share))

    def _is_stale(self, progress: Progress) -> bool:
        return progress.epoch - 1 - progress.best_epoch >= self.config.patience

    def _save(self, progress: Progress) -> None:
        if self.run_folder is None:
            return
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.mean,
            "weighting": self.weighting.state_dict(),
            "steps_done": self.averaged.steps_done,
            "optimisers": [each.state_dict() for each in self.optimisers],
            "schedules": [each.state_dict() for each in self.schedules],
        }
        write_checkpoint(self.run_folder, self.config, progress, state)

    def _resume(self) -> Progress:
        device = next(self.network.parameters()).device
        found = read_checkpoint(self.run_folder, self.config, device) if self.run_folder else None
        if found is None:
            return Progress()
        progress, state = found
        self.network.load_state_dict(state["network"])
        self.weighting.load_state_dict(state["weighting"])
        self.averaged.mean, self.averaged.steps_done = state["averaged"], state["steps_done"]
        for optimiser, stored in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(stored)
        for schedule, stored in zip(self.schedules, state["schedules"], strict=True):
            schedule.load_state_dict(stored)
        return progress
