import pytest

from endcap.features.ngrams import TEXT_BUCKETS, text_buckets, text_grams, title_words, words_of


def test_text_hashes_to_the_same_buckets_in_any_case_and_order():
    assert text_buckets("Red SHOE") == text_buckets("shoe, red!")
    assert set(text_buckets("shoe")) < set(text_buckets("red shoe"))
    assert text_buckets("") == text_buckets(" -!") == []


def test_a_word_is_itself_and_its_pieces_of_four_letters():
    assert text_grams("Teas") == ["teas", "#tea", "eas#"]
    assert set(text_grams("teapot")) & set(text_grams("teapots")) >= {"#tea", "teap", "eapo"}


def test_chinese_text_needs_no_spaces():
    # 连, 衣, 裙, 连衣, 衣裙 and 连衣裙 are shared, whatever stands around them.
    shared = set(text_grams("连衣裙")) & set(text_grams("新款连衣裙夏"))
    assert shared == {"连", "衣", "裙", "连衣", "衣裙", "连衣裙"}
    assert all(0 <= bucket < TEXT_BUCKETS for bucket in text_buckets("裙 dress"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ＴＥＡ　紅茶", "tea 紅茶"),
        ("STRASSE", "straße"),
        ("ｺｰﾋｰ", "コーヒー"),
        ("Café", "CAFE\u0301"),
    ],
)
def test_what_people_read_as_one_text_is_one(one, other):
    assert text_grams(one) == text_grams(other) != []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Größe 42", ["grösse", "42"]),
        ("красный чай", ["красный", "чай"]),
        ("हिन्दी चाय", ["हिन्दी", "चाय"]),
        ("شاي أحمر", ["شاي", "أحمر"]),
        ("빨간 신발", ["빨간", "신발"]),
        ("红茶500g", ["红茶", "500g"]),
        ("ชา", ["ชา"]),
        ("あか", ["あか"]),
    ],
)
def test_words_of_every_script_are_read_and_marks_stay_with_their_letters(text, words):
    assert words_of(text) == words


def test_a_word_has_the_same_number_in_every_catalogue():
    one, other = title_words(["red tea", ""]), title_words(["TEA"])
    assert other[0, 0] == one[0, 1] > 0
    assert not one[1].any()
