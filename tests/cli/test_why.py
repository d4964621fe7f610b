import json

import msgspec
import pytest

from endcap.api.demo import live
from endcap.api.engine import start_of
from endcap.api.model import load
from endcap.engine import explain
from endcap.simulate import WorldConfig
from endcap.store import Store


@pytest.fixture(scope="module")
def world_run(tmp_path_factory):
    """Return a day of a tiny shop, and its folder."""
    folder = tmp_path_factory.mktemp("world") / "shop"
    config = WorldConfig(shoppers=40, items=40, campaigns=6)
    _, run = live(config, days=2, folder=folder)
    return run, folder


def test_a_decision_is_explained_from_the_log_alone(endcap, world_run):
    run, folder = world_run
    decision = run.decisions[0]
    chosen = decision.items_of("aside")[1]
    words = ("--log", folder, "--slot", chosen.slot, "--placement", "aside")
    result = endcap("why", decision.decision_id, *words)
    assert result.exit_code == 0
    for line in explain(decision, chosen.slot, "aside").lines:
        assert line in result.stdout
    assert f"Decision {decision.decision_id}, by popularity" in result.stdout
    assert f"endcap why {decision.decision_id} --log {folder} --slot" in result.stdout


def test_a_decision_is_explained_from_the_store_of_a_running_server(
    endcap, world_run, model_folder, tmp_path
):
    run, folder = world_run
    store = Store(f"sqlite:///{tmp_path / 'shop.db'}", start_of(load(model_folder)))
    for decision in run.decisions[:5]:
        store.decisions.append(decision)
    store.settled().result()
    decision = run.decisions[2]
    words = ("why", decision.decision_id, "--slot", decision.chosen[0].slot)
    words += ("--placement", decision.chosen[0].placement, "--json")
    told = [json.loads(endcap(*words, "--log", log).stdout) for log in (store.path, folder)]
    assert told[0]["why"] == told[1]["why"]
    assert "holds no decision 'zzz'" in endcap("why", "zzz", "--log", store.path).stderr
    store.close()


def test_first_letters_are_enough_while_they_name_one(endcap, world_run):
    run, folder = world_run
    decision = run.decisions[0]
    path = folder / "decisions.jsonl"
    answer = json.loads(endcap("why", decision.decision_id[:12], "--log", path, "--json").stdout)
    assert answer["decision_id"] == decision.decision_id
    assert len(answer["page"]) == len(decision.chosen)
    assert answer["why"]["headline"].startswith(f"{decision.chosen[0].item_id} stands in slot 0")


def test_letters_that_begin_several_ids_are_too_few(endcap, world_run):
    run, folder = world_run
    result = endcap("why", "", "--log", folder)
    assert result.exit_code == 1
    assert f"'' begins {len(run.decisions):,} decisions of " in result.stderr
    assert "give more letters" in result.stderr


def test_an_id_that_the_log_does_not_hold_is_refused(endcap, world_run):
    _, folder = world_run
    result = endcap("why", "zzz", "--log", folder)
    assert result.exit_code == 1
    assert result.stderr == (
        f"{folder / 'decisions.jsonl'} holds no decision 'zzz'; "
        f"the answer to a page request names its own.\n"
    )


def test_a_slot_that_holds_nothing_names_those_that_do(endcap, world_run):
    run, folder = world_run
    result = endcap("why", run.decisions[0].decision_id, "--log", folder, "--slot", -1)
    assert result.exit_code == 1
    assert "Nothing stands in slot -1 of 'home'" in result.stderr
    assert "its filled slots are [0, 1, 2, 3, 4, 5]." in result.stderr


def test_a_log_that_is_not_there_is_named(endcap, tmp_path):
    result = endcap("why", "a1", "--log", tmp_path)
    assert result.exit_code == 1
    assert f"There is no {tmp_path / 'decisions.jsonl'}; --log takes" in result.stderr


@pytest.mark.parametrize("keep", [0.5, 0.02], ids=["cut in half", "cut short"])
def test_a_damaged_record_is_told_by_its_line(endcap, world_run, tmp_path, keep):
    run, _ = world_run
    line = msgspec.json.encode(run.decisions[0])
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(line[: int(len(line) * keep)] + b"\n")
    result = endcap("why", run.decisions[0].decision_id, "--log", path)
    assert result.exit_code == 1
    assert f"line 1 of {path} is no decision of this Endcap's" in result.stderr


def test_a_record_that_was_changed_does_not_explain_itself(endcap, world_run, tmp_path):
    run, _ = world_run
    decision = run.decisions[0]
    changed = msgspec.structs.replace(decision.chosen[0], row=decision.chosen[1].row)
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(
        msgspec.json.encode(
            msgspec.structs.replace(decision, chosen=[changed, *decision.chosen[1:]])
        )
    )
    result = endcap("why", decision.decision_id, "--log", path)
    assert result.exit_code == 1
    assert "does not replay" in result.stderr
