import re

from endcap.evaluate import charts


def test_a_curve_that_barely_moves_is_labelled_in_full_not_by_an_offset():
    chart = charts.lines(
        {"loss": [(1, 0.218051), (2, 0.218082)]}, x_label="epoch", y_label="purchase loss"
    )
    texts = re.findall(r"<text[^>]*>([^<]*)<", chart.svg)
    ticks = [float(text) for text in texts if re.fullmatch(r"0\.\d+", text)]
    assert len(ticks) >= 3
    assert all(0.2180 < tick < 0.2182 for tick in ticks)
    assert not any("e" in text and text[0].isdigit() for text in texts)
