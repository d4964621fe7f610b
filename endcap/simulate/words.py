"""The shop's vocabulary, English and Chinese: titles follow category, brand and style."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Leaf:
    """A leaf of the category tree; `price` is its median in whole units of the currency."""

    top: int
    path: str
    noun: str
    noun_zh: str
    price: int


_TREE: tuple[tuple[str, tuple[tuple[str, str, str, int], ...]], ...] = (
    (
        "Shoes",
        (
            ("Running", "Running Shoes", "跑步鞋", 85),
            ("Boots", "Boots", "靴子", 110),
            ("Sandals", "Sandals", "凉鞋", 40),
            ("Sneakers", "Sneakers", "运动鞋", 70),
        ),
    ),
    (
        "Clothing",
        (
            ("Jackets", "Jacket", "夹克", 95),
            ("Shirts", "Shirt", "衬衫", 35),
            ("Trousers", "Trousers", "长裤", 50),
            ("Knitwear", "Sweater", "毛衣", 55),
        ),
    ),
    (
        "Sport",
        (
            ("Fitness", "Dumbbell Set", "哑铃", 45),
            ("Cycling", "Bike Helmet", "骑行头盔", 60),
            ("Camping", "Tent", "帐篷", 120),
            ("Yoga", "Yoga Mat", "瑜伽垫", 30),
        ),
    ),
    (
        "Kitchen",
        (
            ("Knives", "Chef Knife", "厨刀", 48),
            ("Pans", "Frying Pan", "煎锅", 42),
            ("Coffee Makers", "Coffee Maker", "咖啡机", 90),
            ("Storage", "Storage Box", "收纳盒", 18),
        ),
    ),
    (
        "Home",
        (
            ("Lamps", "Desk Lamp", "台灯", 44),
            ("Bedding", "Bed Linen", "床品", 60),
            ("Rugs", "Rug", "地毯", 105),
            ("Decor", "Vase", "花瓶", 28),
        ),
    ),
    (
        "Electronics",
        (
            ("Headphones", "Headphones", "耳机", 80),
            ("Speakers", "Speaker", "音箱", 75),
            ("Chargers", "Charger", "充电器", 22),
            ("Wearables", "Fitness Watch", "手表", 115),
        ),
    ),
    (
        "Beauty",
        (
            ("Skincare", "Face Cream", "面霜", 26),
            ("Haircare", "Shampoo", "洗发水", 14),
            ("Fragrance", "Perfume", "香水", 65),
            ("Makeup", "Lipstick", "口红", 20),
        ),
    ),
    (
        "Food",
        (
            ("Coffee", "Coffee Beans", "咖啡豆", 15),
            ("Tea", "Green Tea", "绿茶", 12),
            ("Snacks", "Nut Mix", "坚果", 10),
            ("Oils", "Olive Oil", "橄榄油", 17),
        ),
    ),
)

TOPS: tuple[str, ...] = tuple(top for top, _ in _TREE)

LEAVES: tuple[Leaf, ...] = tuple(
    Leaf(number, f"{top} > {name}", noun, noun_zh, price)
    for number, (top, leaves) in enumerate(_TREE)
    for name, noun, noun_zh, price in leaves
)

CONSUMABLE_TOPS: tuple[int, ...] = (TOPS.index("Beauty"), TOPS.index("Food"))
"""Categories whose items are bought again, not once."""

BRANDS: tuple[str, ...] = (
    "Alder", "Birka", "Corvo", "Dune", "Ember", "Fjell", "Garda", "Halo", "Isola", "Juno",
    "Kito", "Lumen", "Mistral", "Norda", "Opal", "Pico", "Quill", "Riva", "Sable", "Tarn",
    "Umbra", "Vela", "Wren", "Zephyr",
)  # fmt: skip
"""Brand b is at home in top category b % 8, and in one more."""

STYLES: tuple[tuple[str, str], ...] = (
    ("Minimal", "简约"),
    ("Vintage", "复古"),
    ("Floral", "花卉"),
    ("Bold", "大胆"),
    ("Classic", "经典"),
    ("Cozy", "舒适"),
    ("Urban", "都市"),
    ("Natural", "天然"),
)

GRADES: tuple[tuple[str, str], ...] = (
    ("Basic", "基础款"),
    ("Everyday", "日常款"),
    ("Select", "精选款"),
    ("Premium", "高端款"),
)
"""By price against the leaf's median, cheapest first."""

REVIEWS: dict[int, tuple[str, ...]] = {
    1: (
        "Broke after two days.",
        "Very disappointed, asked for my money back.",
        "质量很差,非常失望。",
    ),
    2: ("Not what I hoped for.", "Weaker than the pictures promise.", "不太满意,做工一般。"),
    3: ("It does the job, nothing more.", "Fair for the price.", "还可以,没有惊喜。"),
    4: ("Good, I would buy it again.", "Pleased with it, quick delivery.", "不错,值得买。"),
    5: ("Wonderful, I use it every day.", "Perfect, exactly my taste.", "非常喜欢,强烈推荐!"),
}
"""Short reviews by rating: 1 and 2 are negative, 3 neutral, 4 and 5 positive."""


def review_of(rating: int, number: int) -> str:
    """Return a review with the sentiment of the rating; `number` picks the wording."""
    texts = REVIEWS[rating]
    return texts[number % len(texts)]


def sentiment_of(rating: int) -> int:
    """Return -1, 0 or 1: what a review of this rating says."""
    return (rating > 3) - (rating < 3)
