"""Write a model folder whole or not at all; open it only if every byte is as it was written."""

import errno
import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from endcap.artifact.manifest import FORMAT, Artifact, Manifest
from endcap.errors import ArtifactError, FileError
from endcap.schema import (
    EVENT,
    Campaign,
    Campaigns,
    Catalogue,
    Events,
    Histories,
    MetricRow,
)

MANIFEST = "manifest.json"
METRICS = "metrics.json"
EMBEDDINGS = "embeddings"
"""The catalogue's column that lies with the arrays, not in its JSON."""


def write_artifact(
    artifact: Artifact, folder: Path, *, write_graphs: Callable[[Path], None]
) -> Manifest:
    """Write a model folder; it appears whole or not at all, an older one is replaced.

    Args:
        write_graphs: writes `read.onnx` and `respond.onnx` into the folder that it is given.

    Raises:
        FileError: the folder cannot be written; nothing half-written remains.
    """
    if folder.exists() and not (folder / MANIFEST).is_file():
        raise FileError(
            f"{folder} exists and is no model folder; choose another --out, or remove it yourself."
        )

    def fill(partial: Path) -> None:
        write_graphs(partial)
        _write_parts(artifact, partial)

    return _write_whole(folder, artifact.manifest, fill)


def write_metrics(
    folder: Path, rows: list[MetricRow], *, pages: Mapping[str, str] | None = None
) -> None:
    """Put a model's figures into its folder, which is whole at any moment.

    Args:
        pages: texts for people that tell of the figures, by file name.

    Raises:
        FileError: the folder cannot be written; the model stays as it was.
    """
    manifest, pages = load_artifact(folder).manifest, pages or {}

    def fill(partial: Path) -> None:
        for name in manifest.files:
            if name != METRICS and name not in pages:
                _link(folder / name, partial / name)
        for name, text in pages.items():
            (partial / name).write_text(text, encoding="utf-8")
        (partial / METRICS).write_bytes(_pretty(rows))

    _write_whole(folder, manifest, fill)


def _write_whole(folder: Path, manifest: Manifest, fill: Callable[[Path], None]) -> Manifest:
    """Fill a folder beside the wanted one, sign it, and put it in its place."""
    partial = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        fill(partial)
        files = {path.name: _sha256(path) for path in sorted(partial.iterdir())}
        manifest = msgspec.structs.replace(manifest, files=files, checksum="")
        checksum = hashlib.sha256(_pretty(manifest)).hexdigest()
        manifest = msgspec.structs.replace(manifest, checksum=checksum)
        (partial / MANIFEST).write_bytes(_pretty(manifest))
        _put_in_place(partial, folder)
    except (OSError, SafetensorError) as error:
        raise FileError(
            f"The model could not be written to {folder}: {_reason(error)}. "
            f"Free some room or choose another --out; nothing was left behind."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return manifest


def _reason(error: OSError | SafetensorError) -> str:
    # safetensors tells of a full disk in its own words only.
    if getattr(error, "errno", None) == errno.ENOSPC or f"os error {errno.ENOSPC}" in str(error):
        return "there is no room left on the disk"
    return getattr(error, "strerror", None) or str(error)


def _put_in_place(partial: Path, folder: Path) -> None:
    """Swap the new folder in; a kill between the two renames leaves the old one aside, to be read.

    If the second rename fails, the old folder is put back.
    """
    old = _aside(folder)
    if not folder.exists():
        partial.replace(folder)
    else:
        shutil.rmtree(old, ignore_errors=True)
        folder.replace(old)
        try:
            partial.replace(folder)
        except OSError:
            old.replace(folder)
            raise
    shutil.rmtree(old, ignore_errors=True)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)


def _write_parts(artifact: Artifact, folder: Path) -> None:
    (folder / "catalogue.json").write_bytes(msgspec.json.encode(_catalogue_dict(artifact)))
    (folder / "campaigns.json").write_bytes(msgspec.json.encode(artifact.campaigns.rows))
    (folder / "vocabulary.json").write_bytes(artifact.vocabulary)
    (folder / "users.json").write_bytes(msgspec.json.encode(artifact.user_ids))
    (folder / METRICS).write_bytes(_pretty(artifact.metrics))
    np.save(folder / "events.npy", artifact.histories.events)
    arrays = {name: np.ascontiguousarray(value) for name, value in artifact.arrays.items()}
    arrays["offsets"] = artifact.histories.offsets
    arrays[EMBEDDINGS] = np.ascontiguousarray(artifact.catalogue.embeddings)
    save_file(arrays, folder / "arrays.safetensors")


def load_artifact(folder: Path) -> Artifact:
    """Open a model folder, checked to the byte; large arrays stay on disk.

    Raises:
        ArtifactError: there is none, it is of another version, or a file was changed.
    """
    if not folder.exists() and _aside(folder).is_dir():
        folder = _aside(folder)  # a fit was killed as it swapped its folder in
    path = folder / MANIFEST
    if not path.is_file():
        raise ArtifactError(
            f"There is no model in {folder}; `endcap fit LOG --out {folder}` makes one."
        )
    manifest = _read_manifest(path)
    for name, digest in manifest.files.items():
        part = folder / name
        if not part.is_file() or _sha256(part) != digest:
            raise ArtifactError(
                f"{part} is missing or not as it was written; "
                f"copy the model folder again, or fit it again."
            )
    return _read_parts(folder, manifest)


def _read_manifest(path: Path) -> Manifest:
    content = path.read_bytes()
    try:
        found = msgspec.json.decode(content, type=dict[str, Any])
        _check_format(found, path.parent)
        manifest = msgspec.convert(found, Manifest)
        unsigned = content.replace(manifest.checksum.encode(), b"", 1)
        if hashlib.sha256(unsigned).hexdigest() != manifest.checksum:
            raise msgspec.ValidationError("its checksum differs")
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path} is damaged ({error}); fit the model again.") from error
    return manifest


def _check_format(found: dict[str, Any], folder: Path) -> None:
    if found.get("format") != FORMAT:
        raise ArtifactError(
            f"The model in {folder} has format {found.get('format')}, this Endcap reads "
            f"format {FORMAT}; fit it again, or install Endcap {found.get('endcap', '?')}."
        )


def _read_parts(folder: Path, manifest: Manifest) -> Artifact:
    def decode(name: str, type_: Any) -> Any:
        return msgspec.json.decode((folder / name).read_bytes(), type=type_)

    arrays = load_file(folder / "arrays.safetensors")
    offsets, embeddings = arrays.pop("offsets"), arrays.pop(EMBEDDINGS)
    events: Events = np.load(folder / "events.npy", mmap_mode="r", allow_pickle=False)
    assert events.dtype == EVENT
    return Artifact(
        manifest=manifest,
        folder=folder,
        catalogue=_catalogue(decode("catalogue.json", dict[str, list[Any]]), embeddings),
        campaigns=Campaigns(rows=tuple(decode("campaigns.json", list[Campaign]))),
        vocabulary=(folder / "vocabulary.json").read_bytes(),
        user_ids=decode("users.json", list[str]),
        histories=Histories(events=events, offsets=offsets),
        arrays=arrays,
        metrics=decode(METRICS, list[MetricRow]),
    )


def _catalogue_dict(artifact: Artifact) -> dict[str, list[Any]]:
    columns = vars(artifact.catalogue)
    return {name: values.tolist() for name, values in columns.items() if name != EMBEDDINGS}


def _catalogue(columns: dict[str, list[Any]], embeddings: NDArray[np.float32]) -> Catalogue:
    template = Catalogue.of_ids([str(item_id) for item_id in columns["item_ids"]])
    made: dict[str, NDArray[Any]] = {}
    for name, empty in vars(template).items():
        if name == EMBEDDINGS:
            made[name] = embeddings
        elif name in ("attributes", "relations"):
            made[name] = np.empty(len(columns[name]), dtype=object)
            made[name][:] = [tuple(values) for values in columns[name]]
        else:
            made[name] = np.array(columns[name], dtype=empty.dtype)
    return Catalogue(**made)


def _pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
