"""What is written of a fit as it runs is there once, whatever happened on the way."""

import importlib.util
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from endcap.errors import MissingExtraError
from endcap.model import ModelConfig
from endcap.train import Epoch, TrainConfig, curve_rows, fit
from endcap.train.tracking import require_trackers, tracking

CONFIG = TrainConfig(
    model=ModelConfig(dim=8, max_history=6, hidden=8, num_blocks=1), epochs=2, batch_size=256
)
EPOCHS = [
    Epoch(
        epoch=number,
        seconds=1.0,
        learning_rate=0.5,
        objective=3.0 * number,
        figure=2.0,
        train={"next": 4.0 * number},
        validation={"next": 5.0, "next_ndcg@10": 0.25},
    )
    for number in (1, 2)
]


def board(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Read every scalar of every event file, nothing purged."""
    found: dict[str, list[tuple[int, float]]] = {}
    for path in folder.glob("events.out.tfevents.*"):
        events = EventAccumulator(str(path), purge_orphaned_data=False).Reload()
        for name in events.Tags()["scalars"]:
            found.setdefault(name, []).extend((e.step, e.value) for e in events.Scalars(name))
    return found


def test_curves_tell_tasks_splits_and_metrics_apart():
    rows = [(r.epoch, r.task, r.split, r.metric, r.value) for r in curve_rows(EPOCHS[:1])]
    assert rows == [
        (1, "next", "train", "loss", 4.0),
        (1, "next", "validation", "loss", 5.0),
        (1, "next", "validation", "ndcg@10", 0.25),
    ]


def test_a_figure_that_is_no_number_leaves_a_gap():
    epoch = Epoch(
        epoch=1,
        seconds=1.0,
        learning_rate=0.5,
        objective=1.0,
        figure=1.0,
        train={"next": float("nan")},
        validation={},
    )
    assert curve_rows([epoch]) == []


def test_a_killed_fit_goes_on_and_tensorboard_holds_each_epoch_once(dataset, tmp_path):
    class Killed(Exception):
        pass

    def kill(what, done, total):
        if what.startswith("epoch 2 "):
            raise Killed

    with pytest.raises(Killed):
        fit(dataset, config=CONFIG, run_folder=tmp_path, report=kill)
    assert [step for step, _ in board(tmp_path)["objective/train"]] == [1]
    history = fit(dataset, config=CONFIG, run_folder=tmp_path).progress.history
    found = board(tmp_path)
    assert [epoch.epoch for epoch in history] == [1, 2]
    for row in curve_rows(history):
        points = dict(found[f"{row.metric}/{row.task}/{row.split}"])
        assert points[row.epoch] == pytest.approx(row.value, rel=1e-6)
    assert {len(points) for points in found.values()} == {2}
    assert found["learning_rate"][1][1] == pytest.approx(history[1].learning_rate)
    assert {"loss/next/train", "loss/click/validation", "ndcg@10/next/validation"} <= set(found)


def told_twice(folder: Path, track: str) -> None:
    """Track one epoch, die, and track as a resumed fit does."""
    with tracking(folder, CONFIG, [track]) as watch:
        watch(EPOCHS[0])
    with tracking(folder, CONFIG, [track]) as watch:
        for epoch in EPOCHS:
            watch(epoch)


# SQLAlchemy 2.1 warns of what MLflow 3.17 still does.
@pytest.mark.filterwarnings("ignore")
def test_a_local_store_of_mlflow_holds_each_epoch_once(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="the extra mlflow is large, and not in dev")
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    told_twice(tmp_path / "run", "mlflow")
    client = mlflow.MlflowClient()
    place = client.get_experiment_by_name("endcap").experiment_id
    (run,) = client.search_runs([place])
    assert run.data.params["model.dim"] == "8"

    def points(name):
        return [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, name)]

    assert points("loss/next/train") == [(1, 4.0), (2, 8.0)]
    assert points("ndcg_at_10/next/validation") == [(1, 0.25), (2, 0.25)]


@pytest.mark.filterwarnings("ignore")
def test_wandb_offline_holds_each_epoch_once(tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="the extra wandb is large, and not in dev")
    from wandb.proto import wandb_internal_pb2 as proto

    monkeypatch.setenv("WANDB_MODE", "offline")
    told_twice(tmp_path, "wandb")
    (path,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    points = []
    for data in records(path.read_bytes()):
        record = proto.Record.FromString(data)
        if record.HasField("history"):
            items = {i.key or "/".join(i.nested_key): i.value_json for i in record.history.item}
            points.append((record.history.step.num, float(items["loss/next/train"])))
    assert points == [(1, 4.0), (2, 8.0)]


def records(content: bytes) -> Iterator[bytes]:
    """Read W&B's file: a header of 7 bytes, then the log format of LevelDB in blocks of 32 KiB."""
    at, parts = 7, b""
    while at + 7 <= len(content):
        if 32_768 - at % 32_768 < 7:
            at += 32_768 - at % 32_768
            continue
        _, size, kind = struct.unpack("<IHB", content[at : at + 7])
        parts += content[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # whole, or the last of several
            yield parts
            parts = b""


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_a_tracker_that_is_not_installed_says_what_to_install(name, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda asked, *rest: None if asked == name else found(asked)
    )
    remedy = rf"go to {name}, which is not installed; run: pip install 'endcap\[{name}\]'"
    with pytest.raises(MissingExtraError, match=remedy):
        require_trackers([name])
