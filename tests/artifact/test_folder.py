"""A model folder is whole or is not there, and is read only as it was written."""

import errno
import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from safetensors import SafetensorError

from endcap import artifact as room
from endcap.artifact import FORMAT, load_artifact, write_artifact, write_metrics
from endcap.errors import ArtifactError, FileError
from endcap.schema import MetricRow

ROW = MetricRow(task="click", metric="auc", model="endcap", value=0.7)


@pytest.fixture
def folder(model_folder, tmp_path):
    return Path(shutil.copytree(model_folder, tmp_path / "shop.model"))


@pytest.fixture
def again(folder):
    """Return a function that writes the folder again, as another version."""
    read = load_artifact(folder)
    read = replace(read, manifest=msgspec.structs.replace(read.manifest, version="second"))
    graphs = {name: (folder / name).read_bytes() for name in ("read.onnx", "respond.onnx")}

    def write(out=folder, then=lambda partial: None):
        def write_graphs(partial):
            for name, content in graphs.items():
                (partial / name).write_bytes(content)
            then(partial)

        return write_artifact(read, out, write_graphs=write_graphs)

    return write


def version(folder):
    return load_artifact(folder).manifest.version


def beside(folder):
    return sorted(path.name for path in folder.parent.iterdir())


def test_what_is_read_is_what_was_written(folder, fitted):
    read = load_artifact(folder)
    assert read.manifest.tasks == fitted.tasks
    assert read.manifest.shop == fitted.dataset.shop
    assert read.user_ids == fitted.dataset.user_ids
    for name, column in vars(fitted.dataset.catalogue).items():
        assert getattr(read.catalogue, name).tolist() == column.tolist()
    assert read.campaigns == fitted.dataset.campaigns
    for name, array in fitted.item_arrays().items():
        np.testing.assert_array_equal(read.arrays[name], array)
    np.testing.assert_array_equal(
        read.arrays["memory_weights"], fitted.remembered.memories["memory"].weights
    )


def test_a_copy_written_from_a_folder_reads_the_same(folder, again, tmp_path):
    again(tmp_path / "copy.model")
    one, two = load_artifact(folder), load_artifact(tmp_path / "copy.model")
    assert one.arrays.keys() == two.arrays.keys()
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, two.arrays[name])
    np.testing.assert_array_equal(one.histories.events, two.histories.events)


def test_a_flipped_byte_in_any_file_is_told(folder):
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        for place in (0, len(content) // 2, len(content) - 2):
            flipped = bytearray(content)
            flipped[place] ^= 1
            path.write_bytes(flipped)
            with pytest.raises(ArtifactError, match=r"missing or not as it was|damaged|format"):
                load_artifact(folder)
        path.write_bytes(content)
    assert load_artifact(folder)


def test_a_changed_number_in_the_manifest_is_told(folder):
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"log_end_us": 1', '"log_end_us": 2'))
    with pytest.raises(ArtifactError, match=r"is damaged \(its checksum differs\); fit the model"):
        load_artifact(folder)


@pytest.mark.parametrize("name", ["users.json", "read.onnx", "arrays.safetensors"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=rf"{name} is missing or not as it was written"):
        load_artifact(folder)


def test_another_format_names_both_and_the_remedy(folder):
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace(f'"format": {FORMAT}', '"format": 99'))
    with pytest.raises(ArtifactError, match=rf"has format 99, this Endcap reads format {FORMAT}"):
        load_artifact(folder)


def test_no_folder_says_how_to_make_one(tmp_path):
    with pytest.raises(ArtifactError, match=r"no model in .*none; `endcap fit LOG --out .*none`"):
        load_artifact(tmp_path / "none")


def test_a_folder_of_something_else_is_never_overwritten(again, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    with pytest.raises(FileError, match=r"photos exists and is no model folder; choose another"):
        again(tmp_path / "photos")
    assert (tmp_path / "photos" / "cat.jpg").exists()


def test_an_older_model_is_replaced_and_nothing_else_remains(folder, again):
    again()
    assert version(folder) == "second"
    assert beside(folder) == ["shop.model"]


def test_without_room_the_older_model_stays_whole(folder, again):
    def full(partial):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = version(folder)
    with pytest.raises(FileError, match=r"no room left on the disk\. Free some room"):
        again(then=full)
    assert version(folder) == before
    assert beside(folder) == ["shop.model"]


def test_room_that_ends_within_the_arrays_is_told_the_same(folder, again, monkeypatch):
    def full(arrays, path):  # safetensors raises an error of its own, which is no OSError
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(room.folder, "save_file", full)
    with pytest.raises(FileError, match="no room left on the disk"):
        again()
    assert beside(folder) == ["shop.model"]


def test_an_interrupted_write_leaves_nothing_half_written(folder, again):
    def interrupt(partial):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        again(then=interrupt)
    assert load_artifact(folder)
    assert beside(folder) == ["shop.model"]


def test_what_a_killed_fit_left_is_cleared_by_the_next(folder, again):
    partial = folder.with_name(".shop.model.partial")
    partial.mkdir()
    (partial / "stray").touch()
    assert "stray" not in again().files
    assert beside(folder) == ["shop.model"]


def test_a_kill_between_the_two_renames_leaves_the_older_model_readable(folder, again):
    before = version(folder)
    folder.rename(folder.with_name(".shop.model.old"))
    assert version(folder) == before
    again()
    assert version(folder) == "second"
    assert beside(folder) == ["shop.model"]


def test_a_failed_rename_puts_the_older_model_back(folder, again, monkeypatch):
    before, rename = version(folder), Path.replace

    def fail(self, target):
        if self.name.endswith(".partial"):
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(FileError, match="Input/output error"):
        again()
    assert version(folder) == before
    assert beside(folder) == ["shop.model"]


def test_figures_join_a_folder_and_nothing_else_changes(folder):
    before = load_artifact(folder).manifest
    write_metrics(folder, [ROW])
    after = load_artifact(folder)
    assert after.metrics == [ROW]
    assert after.manifest.files | {"metrics.json": ""} == before.files | {"metrics.json": ""}
    assert beside(folder) == ["shop.model"]


def test_a_write_of_figures_that_fails_leaves_the_model_whole(folder, monkeypatch):
    def full(partial, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(room.folder, "_put_in_place", full)
    with pytest.raises(FileError, match="no room left"):
        write_metrics(folder, [ROW])
    assert load_artifact(folder).metrics == []
