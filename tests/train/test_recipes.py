import pytest

from endcap.train import choose_recipe


def rich(num_questions):
    return choose_recipe(num_questions=num_questions, num_candidates=1, median_history=30.0)


@pytest.mark.parametrize(
    ("num_questions", "epochs"), [(100, 20), (256 * 45, 10), (256 * 150, 3), (10_000_000, 3)]
)
def test_a_small_log_is_read_more_often(num_questions, epochs):
    assert rich(num_questions).epochs == epochs


def test_a_sparse_log_without_candidates_takes_its_own_recipe():
    found = choose_recipe(num_questions=100, num_candidates=0, median_history=5.0)
    assert (found.model.max_history, found.epochs, found.averaged_steps) == (20, 5, 1.0)
