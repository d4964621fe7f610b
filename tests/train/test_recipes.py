import pytest

from endcap.train import choose_recipe


def rich(num_questions):
    return choose_recipe(num_questions=num_questions, num_candidates=1, median_history=30.0)


@pytest.mark.parametrize(
    ("num_questions", "epochs"),
    [(100, 40), (1_999, 4), (2_000, 20), (256 * 45, 10), (256 * 150, 3), (10_000_000, 3)],
)
def test_a_small_log_is_read_more_often(num_questions, epochs):
    assert rich(num_questions).epochs == epochs


def test_a_sparse_log_without_candidates_takes_its_own_recipe():
    found = choose_recipe(num_questions=100_000, num_candidates=0, median_history=5.0)
    assert (found.model.max_history, found.epochs, found.averaged_steps) == (20, 5, 1.0)


def test_a_sparse_log_of_few_questions_is_read_more_often_and_warms_up_in_time():
    found = choose_recipe(num_questions=2_560, num_candidates=0, median_history=5.0)
    assert (found.epochs, found.warmup_steps) == (20, 40)


def test_a_small_log_takes_a_small_network_of_few_steps():
    found = choose_recipe(num_questions=500, num_candidates=9, median_history=30.0)
    assert (found.model.dim, found.model.num_blocks, found.batch_size) == (32, 1, 128)
    assert found.epochs * 4 == 60


def test_a_feed_of_passing_items_leans_on_fields_and_reads_its_context_in_bands():
    shape = {"num_questions": 30_000, "num_candidates": 30_000, "median_history": 30.0}
    feed, pages = choose_recipe(**shape, shown_per_item=4.0), choose_recipe(**shape)
    assert (feed.model.id_dropout, feed.model.context_bands, feed.epochs) == (1.0, 8, 9)
    assert (pages.model.id_dropout, pages.model.context_bands, pages.epochs) == (0.5, 0, 4)
