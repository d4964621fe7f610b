"""Tasks are declared, and a file's declaration is the same as the code's."""

import msgspec
import pytest

from endcap.schema import DEFAULT_TASKS, Binary, Hazard, NextItem, ShopConfig, Task, group_of


def test_the_default_tasks_have_different_names_and_cover_the_three_questions():
    names = [task.name for task in DEFAULT_TASKS]
    assert names == ["next", "click", "cart", "dwell", "buy", "purchase", "ad_click", "ad_buy"]
    assert {group_of(task) for task in DEFAULT_TASKS} == {"recommendation", "behaviour", "ad"}


@pytest.mark.parametrize(
    ("task", "group"),
    [
        (NextItem(), "recommendation"),
        (Binary(name="c", event_type="click", space="impressions"), "behaviour"),
        (Binary(name="c", event_type="click", space="impressions", ads=True), "ad"),
        (Hazard(name="d", measures="dwell", space="clicks"), "behaviour"),
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
