import pytest

from endcap.errors import ConfigError, FileError
from endcap.model import ModelConfig
from endcap.train import TrainConfig, format_recipe, read_recipe

CONFIG = TrainConfig(model=ModelConfig(dim=32, low_pass=0.5), epochs=7, learning_rate=1e-5, seed=3)


@pytest.fixture
def recipe(tmp_path):
    def write(text):
        path = tmp_path / "recipe.toml"
        path.write_text(text)
        return path

    return write


def test_a_written_recipe_is_read_back_equal(recipe):
    assert read_recipe(recipe(format_recipe(CONFIG)), seed=3) == CONFIG


def test_what_a_recipe_leaves_out_has_its_default(recipe):
    assert read_recipe(recipe("[model]\ndim = 32\n")) == TrainConfig(model=ModelConfig(dim=32))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("epochs = ", r"recipe.toml is no TOML: "),
        ("epoch = 3", r"cannot be used: Object contains unknown field `epoch`\. `recipe.toml` in"),
        ("[model]\ndims = 3", r"unknown field `dims` - at `\$\.model`\."),
        ("epochs = 'many'", r"cannot be used: Expected `int`, got `str` - at `\$\.epochs`"),
        ("epochs = 0", r"cannot be used: epochs must be 1 or more, got 0\. `"),
        ("learning_rate = -1.0", r"learning_rate must be above 0, got -1\.0\."),
        ("averaged_steps = 0.5", r"averaged_steps must be 1 or more, got 0\.5\."),
        ("[model]\ndropout = 1.0", r"dropout must be 0 or more and less than 1, got 1\.0\."),
        ("[model]\nlow_pass = 2.0", r"low_pass must lie in 0 to 1, got 2\.0\."),
        ("[model]\nnum_blocks = 0", r"num_blocks must be 1 or more, got 0\."),
        ("seed = 3", r"names a seed; give it as --seed"),
    ],
)
def test_a_recipe_that_cannot_be_used_says_why(recipe, text, reason):
    with pytest.raises(ConfigError, match=reason):
        read_recipe(recipe(text))


def test_a_recipe_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FileError, match=r"none.toml cannot be read: No such file"):
        read_recipe(tmp_path / "none.toml")
