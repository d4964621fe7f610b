"""The peer: RecTools SASRec with softmax, fitted and asked in an environment of its own.

`python rectools_sasrec.py LOG.npz LINES.jsonl` needs `rectools[torch]` and nothing of Endcap. It
writes a line per epoch and two at the end, as they come. Settings are those of the best of the
peer's runs; the loss is asked at real positions alone, since most of a window is padding.
"""

import argparse
import json
import resource
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pytorch_lightning import Callback, Trainer, seed_everything
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel
from rectools.models.nn.transformers.lightning import TransformerLightningModule
from torch.nn import functional

K, BATCH, WINDOW = 10, 256, 20
PATIENCE = 4
SETTINGS = {
    "n_blocks": 2,
    "n_heads": 2,
    "n_factors": 64,
    "dropout_rate": 0.5,
    "session_max_len": WINDOW,
    "batch_size": 128,
    "lr": 3e-3,
    "loss": "softmax",
}


class RealPositions(TransformerLightningModule):  # type: ignore[misc] # no types in its package
    """The peer's own loss, without logits for padding: the mean over real positions."""

    def training_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> torch.Tensor:
        network = self.torch_model
        items = network.item_model.get_all_embeddings()
        asked = batch["y"] != 0
        logits = network.similarity_module(network.encode_sessions(batch, items)[asked], items)
        return functional.cross_entropy(logits, batch["y"][asked])


class Questions:
    """Each user's items before a split's target, and the target; all in the model's item ids."""

    def __init__(self, log: "Log", model: Any, left: int) -> None:
        known = model.data_preparator.item_id_map
        of_item = pd.Series(known.to_internal).reindex(log.item).fillna(-1).to_numpy(dtype=int)
        before, asked = log.left > left, log.left == left
        self.num_users, self.num_items = int(log.user.max()) + 1, known.size
        self.target = of_item[asked]
        seen = before & (of_item > 0)
        self.seen_user, self.seen_item = log.user[seen], of_item[seen]
        self.bounds = np.searchsorted(self.seen_user, np.arange(self.num_users + 1))
        self.window = np.zeros((self.num_users, WINDOW), dtype=np.int64)
        for user in range(self.num_users):
            own = self.seen_item[self.bounds[user] : self.bounds[user + 1]][-WINDOW:]
            self.window[user, WINDOW - len(own) :] = own

    def figures(self, network: Any) -> dict[str, float]:
        """Rank every item, seen ones filtered, ties against the model; unseen targets miss."""
        rank = np.full(self.num_users, np.inf)
        was_training = network.training
        network.eval()
        with torch.no_grad():
            items = network.item_model.get_all_embeddings()
            for start in range(0, self.num_users, BATCH):
                users = np.arange(start, min(start + BATCH, self.num_users))
                rank[users] = self._ranks(network, items, users)
        network.train(was_training)
        hit = rank <= K
        gain = np.where(hit, 1 / np.log2(np.where(hit, rank, 1) + 1), 0.0)
        return {"ndcg": float(gain.mean()), "hit_rate": float(hit.mean())}

    def _ranks(
        self, network: Any, items: torch.Tensor, users: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        window = torch.from_numpy(self.window[users])
        last = network.encode_sessions({"x": window}, items)[:, -1]
        scores = (last @ items.T).numpy()
        scores[:, 0] = -np.inf
        rows = slice(self.bounds[users[0]], self.bounds[users[-1] + 1])
        scores[self.seen_user[rows] - users[0], self.seen_item[rows]] = -np.inf
        target = self.target[users]
        own = scores[np.arange(len(users)), np.maximum(target, 0)]
        rank = (scores >= own[:, None]).sum(axis=1).astype(np.float64)
        return np.where(target > 0, rank, np.inf)


class Log:
    """Users, items and order; the last item of a user is test, the one before validation."""

    def __init__(self, file: Path) -> None:
        told = np.load(file)
        self.user, self.item, self.left = told["user"], told["item"], told["places_left"]

    def dataset(self, left: int) -> Dataset:
        """Return what is known of users once more than `left` items are to come."""
        known = self.left > left
        day = pd.Timestamp("2020-01-01") - pd.to_timedelta(self.left[known], unit="D")
        columns = {Columns.User: self.user[known], Columns.Item: self.item[known]}
        return Dataset.construct(
            pd.DataFrame({**columns, Columns.Weight: 1, Columns.Datetime: day})
        )


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Watch(Callback):  # type: ignore[misc] # no types in its package
    """Write each epoch's validation figures, keep the best weights, stop by patience.

    CPU seconds count from the start of the process, less those of this validation.
    """

    def __init__(self, log: Log, lines: Path) -> None:
        self.log_, self.lines = log, lines
        self.asked: Questions | None = None
        self.model: Any = None
        self.validating = 0.0
        self.best, self.best_epoch, self.epochs = -1.0, 0, 0
        self.weights: dict[str, torch.Tensor] = {}

    def __deepcopy__(self, memo: object) -> "Watch":
        return self  # the peer copies its trainer before it fits

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        spent, peak = time.process_time() - self.validating, peak_mb()
        self.asked = self.asked or Questions(self.log_, self.model, 1)
        found = self.asked.figures(pl_module.torch_model)
        self.validating = time.process_time() - spent
        self.epochs = epoch = self.epochs + 1
        self.tell("epoch", epoch=epoch, cpu_s=spent, peak_mb=peak, validating_s=self.validating,
                  **found)  # fmt: skip
        if found["ndcg"] > self.best:
            self.best, self.best_epoch = found["ndcg"], epoch
            kept = pl_module.torch_model.state_dict()
            self.weights = {name: each.detach().clone() for name, each in kept.items()}
        trainer.should_stop = epoch - self.best_epoch >= PATIENCE

    def tell(self, kind: str, **told: float) -> None:
        """Append a line, at once."""
        with self.lines.open("a") as file:
            file.write(json.dumps({"kind": kind, **told}) + "\n")
        print(kind, told, flush=True)


def own_ndcg(model: SASRecModel, known: Dataset, log: Log) -> float:
    """Return validation NDCG@10 of the lists that the peer itself gives."""
    users = np.unique(log.user)
    lists = model.recommend(users, known, k=K, filter_viewed=True)
    target = pd.Series(log.item[log.left == 1], index=log.user[log.left == 1])
    hit = lists[Columns.Item].to_numpy() == target.loc[lists[Columns.User]].to_numpy()
    return float((1 / np.log2(lists[Columns.Rank].to_numpy()[hit] + 1)).sum() / len(users))


def ask_one(model: SASRecModel, log: Log, count: int) -> dict[str, float]:
    """Return CPU ms of one user's list: median and 95th percentile of so many users."""
    known, took = log.dataset(0), []
    for user in np.random.default_rng(0).permutation(int(log.user.max()) + 1)[: count + 20]:
        began = time.process_time()
        model.recommend([user], known, k=K, filter_viewed=True)
        took.append(1e3 * (time.process_time() - began))
    return {"p50_ms": float(np.median(took[20:])), "p95_ms": float(np.quantile(took[20:], 0.95))}


def stock_step(model: SASRecModel, count: int = 8) -> dict[str, float]:
    """Time the step that the peer ships with, and check that its loss is the same."""
    module, took = model.lightning_model, []
    optimiser = torch.optim.Adam(module.torch_model.parameters(), lr=0.0)
    loader = model.data_preparator.get_dataloader_train()
    module.torch_model.eval()
    batch = next(iter(loader))
    with torch.no_grad():
        shipped = module._calc_softmax_loss(module.get_batch_logits(batch), batch["y"], batch["yw"])
        gap = float((shipped - module.training_step(batch, 0)).abs())
    module.torch_model.train()
    for _, batch in zip(range(count), loader, strict=False):
        began = time.process_time()
        loss = module._calc_softmax_loss(module.get_batch_logits(batch), batch["y"], batch["yw"])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        took.append(time.process_time() - began)
    return {"stock_epoch_s": float(np.median(took[2:])) * len(loader), "loss_gap": gap}


def run(log: Log, lines: Path, epochs: int, users: int) -> None:
    """Fit, take the best epoch's weights, and ask them."""
    watch = Watch(log, lines)

    def trainer() -> Trainer:
        return Trainer(max_epochs=epochs, callbacks=[watch], logger=False, accelerator="cpu",
                       enable_checkpointing=False, enable_progress_bar=False,
                       enable_model_summary=False, devices=1)  # fmt: skip

    model = SASRecModel(**SETTINGS, lightning_module_type=RealPositions, get_trainer_func=trainer)
    watch.model = model
    model.fit(log.dataset(1))
    peak = peak_mb()
    model.torch_model.load_state_dict(watch.weights)
    own, test = own_ndcg(model, log.dataset(1), log), Questions(log, model, 0)
    watch.tell("fitted", best_epoch=watch.best_epoch, epochs=watch.epochs, peak_mb=peak,
               own_ndcg=own, **test.figures(model.torch_model))  # fmt: skip
    watch.tell("asked", **ask_one(model, log, users), **stock_step(model), peak_mb=peak_mb())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("lines", type=Path)
    parser.add_argument("--epochs", type=int, default=60, help="at most")
    parser.add_argument("--users", type=int, default=200, help="asked one by one")
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    seed_everything(0)
    run(Log(given.log), given.lines, given.epochs, given.users)
