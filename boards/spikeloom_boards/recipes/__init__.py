"""Board recipes: small data about each board, and a preset of each core that fits it."""

from dataclasses import fields

from spikeloom.catalog import CORES
from spikeloom.errors import unknown

from .ecp5 import ECP5_RECIPES
from .ice40 import ICE40_RECIPES
from .recipe import Recipe as Recipe
from .recipe import Uart as Uart

BOARDS = {recipe.id: recipe for recipe in ICE40_RECIPES + ECP5_RECIPES}


def find_board(name):
    """The recipe called `name`. Raises `InputError` that suggests one or lists them all."""
    if name not in BOARDS:
        raise unknown("board", name, BOARDS)
    return BOARDS[name]


def boards_with(usb, node=None):
    """Ids of the boards that are programmed through USB device `usb`, a (vendor, product), by a
    device file of kind `node` if given."""
    return [
        recipe.id
        for recipe in BOARDS.values()
        if any(one.usb == usb and node in (None, one.node) for one in recipe.programmers)
    ]


def preset_config(core, recipe, settings=()):
    """Configuration of `core` for a board: its preset, with `settings` on top."""
    settings = dict(settings)
    preset = recipe.preset(core)
    config = CORES[core].config
    before = config.from_settings(preset)
    changed = {
        key.name
        for key in fields(config)
        if key.name in settings
        and config.parse(key, settings[key.name]) != getattr(before, key.name)
    }
    for decisive, dependent in CHOSEN_FOR:
        if changed & decisive:
            preset = {key: value for key, value in preset.items() if key not in dependent}
    return config.from_settings(preset | settings)


# What a preset chooses for one shape, engine or kind of input means nothing for another: there the
# core chooses again.
CHOSEN_FOR = (
    (
        {"tokens", "head_dim", "value_dim", "engine"},
        {"cells", "bits", "lanes", "steps_at_once", "encoders"},
    ),
    ({"engine"}, {"random"}),
    ({"engine", "inputs"}, {"feed"}),
)
