"""Tasks are declared, and a file's declaration is the same as the code's."""

import msgspec
import pytest

from endcap.errors import ConfigError
from endcap.schema import (
    DEFAULT_TASKS,
    Action,
    Binary,
    Count,
    Hazard,
    NextCategory,
    NextItem,
    ShopConfig,
    Task,
    group_of,
    is_of_shopper,
    load_shop,
)


def test_the_default_tasks_have_different_names_and_cover_the_three_questions():
    names = [task.name for task in DEFAULT_TASKS]
    assert names == [
        "next", "click", "cart", "dwell", "buy", "purchase",
        "any_purchase", "return", "clicks", "next_category", "ad_click", "ad_buy",
    ]  # fmt: skip
    assert {group_of(task) for task in DEFAULT_TASKS} == {"recommendation", "behaviour", "ad"}


@pytest.mark.parametrize(
    ("task", "group"),
    [
        (NextItem(), "recommendation"),
        (Binary(name="c", event_type="click", space="impressions"), "behaviour"),
        (Binary(name="c", event_type="click", space="impressions", ads=True), "ad"),
        (Hazard(name="d", measures="dwell", space="clicks"), "behaviour"),
        (Count(name="n", event_type="click"), "behaviour"),
        (NextCategory(), "behaviour"),
        (Hazard(name="d", measures="dwell", space="clicks", ads=True), "ad"),
    ],
)
def test_a_task_belongs_to_one_group(task, group):
    assert group_of(task) == group


def test_a_task_survives_json_by_its_tag():
    for task in DEFAULT_TASKS:
        read = msgspec.json.decode(msgspec.json.encode(task), type=Task)
        assert (read, type(read)) == (task, type(task))


def test_a_declaration_in_toml_is_the_declaration_in_code():
    text = """
        [[tasks]]
        type = "hazard"
        name = "return"
        measures = "delay"
        space = "all"
        event_type = "refund"
        within_hours = 48
    """
    shop = msgspec.toml.decode(text, type=ShopConfig)
    assert shop.tasks == (
        Hazard(name="return", measures="delay", space="all", event_type="refund", within_hours=48),
    )


def test_tasks_of_a_shopper_are_those_without_an_item():
    found = [task.name for task in DEFAULT_TASKS if is_of_shopper(task)]
    assert found == ["any_purchase", "return", "clicks", "next_category"]


def written(tmp_path, text):
    path = tmp_path / "shop.toml"
    path.write_text(text)
    return load_shop(path)


SAMPLE = """
[[more_tasks]]
type = "binary"
name = "sample"
event_type = "free_sample"
"""


def test_an_own_event_type_becomes_a_task_beside_the_others_by_three_lines(tmp_path):
    shop = written(tmp_path, SAMPLE)
    assert shop.tasks == (*DEFAULT_TASKS, Binary(name="sample", event_type="free_sample"))
    assert shop.own_types == ("free_sample",)
    assert shop.action_of("free_sample") == Action.OWN + 1
    assert shop.action_of("lend") == Action.OWN
    assert shop.action_of("purchase") == Action.PURCHASE


def test_one_of_more_tasks_takes_the_place_of_its_name(tmp_path):
    text = '[[more_tasks]]\ntype = "next"\nname = "next"\nweight = 2.0\n'
    shop = written(tmp_path, text)
    assert shop.tasks == (NextItem(weight=2.0), *DEFAULT_TASKS[1:])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SAMPLE + SAMPLE, "tasks must have different names, got 'sample' twice"),
        (SAMPLE + "positive_weight = 0.0", "positive_weight of task 'sample' must be above 0"),
        (SAMPLE + "loss = 'hinge'", "Invalid enum value 'hinge'"),
        (SAMPLE + "weight = -0.5", "The weight of task 'sample' must be 0 or more, got -0.5"),
        (SAMPLE + "weight = nan", "The weight of task 'sample' must be 0 or more, got nan"),
        (SAMPLE + "within_hours = inf", "within_hours of task 'sample' must be above 0, got inf"),
        (SAMPLE + "within_hours = 0.0", "within_hours of task 'sample' must be above 0, got 0"),
        (
            '[[more_tasks]]\ntype = "hazard"\nname = "buy"\nmeasures = "delay"\n'
            'space = "clicks"\nloss = "squared"\n',
            "Task 'buy' measures a delay, which may never come, so it has no squared error; write "
            'loss = "likelihood"',
        ),
        ('[train]\nweighting = "gradnorm"\n', "Invalid enum value 'gradnorm'"),
        ("[train]\nweights = 3\n", "unknown field `weights`"),
        (
            SAMPLE.replace("free_sample", "any"),
            "event_type of task 'sample' must name a type such as purchase",
        ),
        (
            "".join(SAMPLE.replace("sample", f"sample{k}") for k in range(9)),
            "tasks may ask for 8 event types of the shop's own, got 9: free_sample0",
        ),
    ],
)
def test_a_task_that_cannot_be_is_one_sentence(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        written(tmp_path, text)
