"""`fit`: a checked log in, a model folder out; what each room gives is handed to the next."""

import hashlib
import importlib.util
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from endcap import __version__
from endcap.artifact import Artifact, Manifest, write_artifact
from endcap.errors import FileError, MissingExtraError
from endcap.schema import Dataset, MetricRow, merged_histories

if TYPE_CHECKING:
    from endcap.train import Fitted, TrackerName, TrainConfig

Report = Callable[[str, int, int], None]

HASHED_ROWS = 1_000_000
"""Rows are hashed so many at a time: a large log's lie on disk."""

RECIPE = "recipe.toml"
"""File of a model folder: the configuration that made it."""


def require_train() -> None:
    """Check that torch is installed.

    Raises:
        MissingExtraError: it is not; the message says what to install.
    """
    if importlib.util.find_spec("torch") is None:
        raise MissingExtraError(
            "Fitting a model needs torch, which the default install leaves out; "
            "run: pip install 'endcap[train]'."
        )


def check_out(out: Path) -> None:
    """Check, before hours of work, that a model may be written there.

    Raises:
        FileError: something else lies there.
    """
    if out.exists() and not (out / "manifest.json").is_file():
        raise FileError(
            f"{out} exists and is no model folder; choose another --out, or remove it yourself."
        )


def fit_dataset(
    dataset: Dataset,
    out: Path,
    *,
    config: "TrainConfig | None" = None,
    epochs: int | None = None,
    seed: int = 0,
    track: "Sequence[TrackerName]" = (),
    report: Report | None = None,
    compare_tasks: bool = False,
) -> "Fitted":
    """Train on a dataset and write the model folder `out`, without figures yet.

    A fit that is killed goes on where it stopped when it is started again with the same log, seed
    and `out`, by the same version; another configuration is refused then. Its checkpoints lie in
    `.NAME.run` beside `out` until the model is written, its learning curves stay there.
    """
    require_train()
    from endcap.train import fit, no_report

    check_out(out)
    fingerprint, runs = fingerprint_of(dataset), out.with_name(f".{out.name}.run")
    asked = hashlib.sha256(msgspec.json.encode([__version__, fingerprint, seed])).hexdigest()
    run_folder, report = runs / asked[:16], report or no_report
    try:
        fitted = fit(
            dataset,
            config=config,
            epochs=epochs,
            seed=seed,
            run_folder=run_folder,
            track=track,
            report=report,
            compare=compare_tasks,
        )
    except RuntimeError as error:
        raise told(error, run_folder) from error
    report("writing the model", 0, 1)
    write_model(fitted, out, fingerprint=fingerprint, metrics=[])
    keep_curves(runs)
    return fitted


def keep_curves(runs: Path) -> None:
    """Remove the checkpoints of runs that are done, and leave what trackers wrote."""
    from endcap.train import CHECKPOINT, RUN_ID

    for name in (CHECKPOINT, f"{CHECKPOINT}.partial", RUN_ID):
        for path in runs.glob(f"**/{name}"):
            path.unlink(missing_ok=True)
    # Of tasks alone first: their folders lie in that of the fit.
    for run_folder in (*runs.glob("*/*/"), *runs.glob("*/")):
        with suppress(OSError):  # what trackers wrote stays
            run_folder.rmdir()


def told(error: RuntimeError, run_folder: Path) -> Exception:
    """Say of a checkpoint that could not be written what torch says of its own lines of code."""
    if "inline_container" not in str(error) and "PytorchStreamWriter" not in str(error):
        return error
    for partial in run_folder.glob("*.partial"):
        partial.unlink()
    for folder in (run_folder, run_folder.parent):
        with suppress(OSError):  # it holds the checkpoint of an earlier epoch
            folder.rmdir()
    return FileError(
        f"A checkpoint could not be written to {run_folder}: there is no room left on the disk. "
        f"Free some room and start the fit again; it goes on from the last epoch that it finished."
    )


def write_model(
    fitted: "Fitted",
    out: Path,
    *,
    fingerprint: str,
    metrics: list[MetricRow],
    tuning: dict[str, Any] | None = None,
) -> Manifest:
    """Write what a fit learned into a model folder, with the recipe that a fit can take again."""
    from endcap.model import export_onnx
    from endcap.train import format_recipe

    def write_rest(folder: Path) -> None:
        export_onnx(fitted.network, folder, apart=fitted.apart)
        (folder / RECIPE).write_text(format_recipe(fitted.config), encoding="utf-8")

    artifact = artifact_of(fitted, fingerprint=fingerprint, metrics=metrics, tuning=tuning)
    return write_artifact(artifact, out, write_graphs=write_rest)


def fingerprint_of(dataset: Dataset) -> str:
    """Return a hash of a log's events, impressions and configuration."""
    digest = hashlib.sha256()
    for part in (dataset.histories.events, dataset.histories.offsets, dataset.impressions):
        for start in range(0, len(part), HASHED_ROWS):
            digest.update(np.ascontiguousarray(part[start : start + HASHED_ROWS]).tobytes())
    digest.update(msgspec.json.encode(dataset.shop))
    digest.update(json.dumps(dataset.catalogue.item_ids.tolist()).encode())
    return digest.hexdigest()


def artifact_of(
    fitted: "Fitted",
    *,
    fingerprint: str,
    metrics: list[MetricRow],
    tuning: dict[str, Any] | None = None,
) -> Artifact:
    """Gather the parts of a model folder."""
    settled, today, day = fitted.counters.state()
    arrays: dict[str, NDArray[Any]] = {
        **fitted.item_arrays(),
        "is_known": fitted.is_known.astype(np.uint8),
        **fitted.memory_arrays(),
        "counters_settled": settled,
        "counters_today": today,
        "shown_ads": fitted.shown_ads(),
        "num_campaigns": np.array([len(fitted.dataset.campaigns)], dtype=np.int64),
    }
    digest = hashlib.sha256(fingerprint.encode())
    weights = {name: t.cpu().numpy() for name, t in fitted.network.state_dict().items()}
    for task, network in fitted.apart.items():
        own = network.state_dict().items()
        weights |= {f"apart.{task}.{name}": t.cpu().numpy() for name, t in own}
    for part in (arrays, weights):
        for name in sorted(part):
            digest.update(np.ascontiguousarray(part[name]).tobytes())
    mixed = (fitted.mix, fitted.mix_unseen, fitted.returns)
    digest.update(msgspec.json.encode((fitted.calibration, *mixed)))
    return Artifact(
        manifest=msgspec.structs.replace(
            _manifest(fitted, fingerprint, digest.hexdigest()[:12], day), tuning=tuning
        ),
        folder=None,
        catalogue=fitted.dataset.catalogue,
        campaigns=fitted.dataset.campaigns,
        vocabulary=msgspec.json.encode(fitted.vocabulary),
        user_ids=fitted.dataset.user_ids,
        histories=merged_histories(fitted.dataset),
        arrays=arrays,
        metrics=metrics,
    )


def _manifest(fitted: "Fitted", fingerprint: str, version: str, day: int) -> Manifest:
    from endcap.train import GRID_ENDS, curve_rows

    dataset, history = fitted.dataset, fitted.progress.history
    slices = {name: (part.start, part.stop) for name, part in fitted.network.slices.items()}
    return Manifest(
        version=version,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        endcap=__version__,
        fingerprint=fingerprint,
        shop=dataset.shop,
        tasks=fitted.tasks,
        left_out=fitted.plan.left_out,
        model=msgspec.to_builtins(fitted.config.model),
        training={
            **msgspec.to_builtins(fitted.config),
            "epochs_run": [{"epoch": each.epoch, "seconds": each.seconds} for each in history],
            "best_epoch": fitted.progress.best_epoch + 1,
            "mix_ends": GRID_ENDS,
            "task_comparisons": msgspec.to_builtins(fitted.comparisons),
        },
        curves=curve_rows(history),
        slices=slices,
        calibration={k: (c.slope, c.shift) for k, c in fitted.calibration.items()},
        dwell_edges_ms=[edge for edge in fitted.plan.dwell_edges_ms if np.isfinite(edge)],
        dwell_means_ms=fitted.dwell_means_ms(),
        mix=msgspec.to_builtins(fitted.mix),
        mix_unseen=msgspec.to_builtins(fitted.mix_unseen),
        returns=list(fitted.returns),
        scales=msgspec.to_builtins(fitted.scales),
        next_action=fitted.next_action,
        counters_day=day,
        log_end_us=dataset.end_us,
    )
