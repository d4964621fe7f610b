import numpy as np

from endcap.simulate.noise import Stream, below, choice, derive, keys_of, normal, uniform


def test_a_number_depends_on_its_key_alone():
    together = keys_of(7, Stream.CLICK, np.arange(1000), 3)
    assert keys_of(7, Stream.CLICK, 421, 3)[0] == together[421]
    assert len(np.unique(together)) == 1000


def test_another_seed_stream_or_part_is_other_luck():
    base = uniform(keys_of(7, Stream.CLICK, np.arange(20_000)))
    for other in (
        uniform(keys_of(8, Stream.CLICK, np.arange(20_000))),
        uniform(keys_of(7, Stream.DWELL, np.arange(20_000))),
        uniform(derive(keys_of(7, Stream.CLICK, np.arange(20_000)), 0)),
        uniform(keys_of(7, Stream.CLICK, np.arange(1, 20_001))),
    ):
        assert abs(np.corrcoef(base, other)[0, 1]) < 0.03


def test_uniform_and_normal_numbers_have_their_moments():
    keys = keys_of(1, Stream.PAGE, np.arange(200_000))
    assert abs(uniform(keys).mean() - 1 / 2) < 0.003
    assert abs(uniform(keys).var() - 1 / 12) < 0.001
    assert abs(normal(keys).mean()) < 0.01
    assert abs(normal(keys).std() - 1) < 0.01


def test_whole_numbers_fill_their_range_evenly():
    counts = np.bincount(below(keys_of(1, Stream.ITEM, np.arange(60_000)), 6), minlength=6)
    assert len(counts) == 6
    assert np.abs(counts - 10_000).max() < 450


def test_choices_come_in_proportion_to_their_weights():
    chosen = choice(keys_of(1, Stream.ITEM, np.arange(60_000)), np.array([1, 0, 2]))
    counts = np.bincount(chosen, minlength=3)
    assert counts[1] == 0
    assert abs(counts[2] / counts[0] - 2) < 0.08


def test_the_first_keys_of_seed_seven_are_frozen():
    first = below(keys_of(7, Stream.ITEM, np.arange(6)), 1000)
    assert first.tolist() == [998, 339, 893, 446, 884, 316]
