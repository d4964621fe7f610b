"""A person is a random key: the same for one shopper, and nothing of the shopper in it."""

from endcap.schema import SubjectKeys


def test_a_shopper_keeps_one_key_and_two_shoppers_have_two():
    keys = SubjectKeys()
    assert keys.of("u1") == keys.of("u1")
    assert keys.of("u1") != keys.of("u2")


def test_keys_say_nothing_of_the_shopper():
    """Not a hash of the id: another log gives another key, so ids cannot be tried out."""
    one, other = SubjectKeys().of("u1"), SubjectKeys().of("u1")
    assert one != other
    assert len(one) == 24
    assert "u1" not in {one, other}


def test_keys_are_listed_by_first_sight_and_made_once():
    made = iter(["k0", "k1", "k2"])
    keys = SubjectKeys(lambda: next(made))
    for user_id in ("b", "a", "b"):
        keys.of(user_id)
    assert keys.items() == [("b", "k0"), ("a", "k1")]
    assert next(made) == "k2"
