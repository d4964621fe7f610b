"""A record rebuilds its own problem."""

import hashlib

import msgspec
import numpy as np
import pytest

from endcap.decide import noise_key, problem_of, solve
from endcap.errors import QueryError
from endcap.schema import (
    Decision,
    PageConfig,
    Shortlist,
    Slots,
    ValueConfig,
    decode_decision,
    encode_decision,
)

SECRET = b"a secret of the tests"


@pytest.fixture
def record():
    rng = np.random.default_rng(3)
    count = 9
    return Decision(
        decision_id="d1",
        subject="s",
        at_us=5,
        model_version="m",
        policy="endcap",
        page=PageConfig(temperature=0.3, epsilon=0.1),
        value=ValueConfig(),
        device="mobile",
        ads=True,
        explore=True,
        slots=Slots(
            placement=["home", "side", "home"], slot=[0, 0, 1], examination=[1.0, 0.7, 0.6]
        ),
        shortlist=Shortlist(
            item=list(range(count)),
            item_id=[f"i{n}" for n in range(count)],
            campaign_id=[None] * 6 + ["c1", "c2", "c3"],
            source=[0] * count,
            q=rng.uniform(0.01, 0.2, count).tolist(),
            dwell_ms=[0.0] * count,
            buy=[0.0] * count,
            margin_micros=[0] * count,
            harm_micros=[0] * count,
            h_micros=rng.lognormal(9, 1, count).tolist(),
            bid_micros=[0] * 6 + [300_000, 200_000, 400_000],
            kappa=[1.0] * 6 + [0.7, 1.0, 0.9],
            category=rng.integers(0, 3, count).tolist(),
            brand=rng.integers(-1, 3, count).tolist(),
            seller=[-1] * count,
            allowed=[3] * 8 + [2],
        ),
        chosen=[],
        found=count,
        dropped={},
        valued=count,
        noise_key=noise_key(SECRET, "d1").hex(),
    )


def test_a_record_read_back_gives_the_same_page_propensities_and_prices(record):
    one = solve(problem_of(record))
    other = solve(problem_of(decode_decision(encode_decision(record))))
    for name in ("row", "propensity", "price_micros", "runner_up", "critical_micros"):
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True), name


def test_placements_are_numbered_by_first_appearance(record):
    problem = problem_of(record)
    assert problem.placement.tolist() == [0, 1, 0]
    assert problem.allowed[-1].tolist() == [False, True]
    assert problem.is_ad.tolist() == [False] * 6 + [True] * 3


def test_another_decision_or_another_secret_draws_other_noise(record):
    keys = {noise_key(SECRET, "d1"), noise_key(SECRET, "d2"), noise_key(SECRET[:-1] + b"!", "d1")}
    assert len(keys) == 3
    assert problem_of(record).key == noise_key(SECRET, "d1")
    rows = {tuple(solve(problem_of(keyed(record, f"d{n}"))).row.tolist()) for n in range(20)}
    assert len(rows) > 1


def keyed(record, decision_id):
    return msgspec.structs.replace(record, noise_key=noise_key(SECRET, decision_id).hex())


def test_a_noise_key_is_the_hmac_of_the_decision_id():
    """By hand: RFC 2104 with SHA-256 over the id, the secret padded to 64 bytes."""
    padded = SECRET.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in padded) + b"d1").digest()
    assert (
        noise_key(SECRET, "d1") == hashlib.sha256(bytes(b ^ 0x5C for b in padded) + inner).digest()
    )


@pytest.mark.parametrize("key", ["", "ab", "G" * 64, "a" * 66])
def test_a_record_without_a_whole_noise_key_says_that_it_has_no_replay(record, key):
    with pytest.raises(QueryError, match=r"'d1' cannot be replayed: its noise_key must be 64 hexa"):
        problem_of(msgspec.structs.replace(record, noise_key=key))
