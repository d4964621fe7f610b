"""Why an item does not stand on a page, from the record alone."""

from endcap.engine import explain_absence
from endcap.schema import Query, decode_decision, encode_decision


def decide(engine, slots=2, **changes):
    query = Query(user_id="u", placements={"home": slots}, explore=False, **changes)
    return decode_decision(encode_decision(engine.decide(query)))


def test_an_item_on_the_page_is_told_where_it_stands(build):
    page = decide(build(temperature=0.0), ads=False)
    held = page.chosen[1]
    told = explain_absence(page, held.item_id)
    assert told.is_shown
    assert str(told) == f"{held.item_id} stands in slot {held.slot} of 'home'."


def test_an_item_of_the_shortlist_is_told_its_worth_and_what_won(build):
    page = decide(build(temperature=0.0), ads=False)
    listed = page.shortlist
    row = max(range(len(listed.item)), key=lambda r: (listed.h_micros[r], -r))
    absent = next(i for i in listed.item_id if i not in {c.item_id for c in page.chosen})
    told = explain_absence(page, absent)
    worth = listed.h_micros[listed.item_id.index(absent)]
    place = 1 + sum(h > worth for h in listed.h_micros)
    assert not told.is_shown
    assert (
        f"h = {worth:.1f}, score s = {worth:.1f}, place {place} of {len(listed.item)}; it may"
        in (told.lines[0])
    )
    least = min(listed.h_micros[c.row] for c in page.chosen)
    assert told.lines[1] == f"'home' went to scores down to {least:.1f}."
    assert listed.item_id[row] in {c.item_id for c in page.chosen}


def test_an_ad_and_its_product_are_told_apart(build):
    page = decide(build(temperature=0.0, max_ads=0))
    told = explain_absence(page, "i7")
    assert any(line.startswith("i7 (ad of c1) was valued") for line in told.lines)


def test_an_item_beyond_the_shortlist_is_told_what_was_dropped(build):
    page = decide(build(temperature=0.0), exclude=("i3",))
    told = explain_absence(page, "i3")
    assert told.lines[0].startswith("i3 is not on the shortlist of ")
    assert "Dropped: excluded 1" in told.lines[1]
    assert explain_absence(page, "no such").lines[0].startswith("no such is not on the shortlist")
