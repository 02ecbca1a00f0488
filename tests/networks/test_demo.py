"""The drawings of the demo of a network, and the numbers in them."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from spikeloom.networks.network import network_core
from spikeloom.networks.position import with_position
from spikeloom_boards.demos.network.measured import Measured, attended, pictures, shared_spikes
from spikeloom_boards.demos.network.plots import (
    draw_attention,
    draw_cycles,
    draw_pictures,
    draw_spikes,
)
from spikeloom_models.data import FASHION_CLASSES
from tests.networks.random_network import random_images, random_network

SMALL = {"image": (12, 12, 1), "patch": (4, 4), "dims": 16, "hidden": 24, "blocks": 2, "heads": 2}
USED = [("cells", 2552, 5280, 48.3), ("block RAMs", 29, 30, 96.7), ("large RAMs", 4, 4, 100.0)]


def measure(count=24, *, shown=24, right=(0,), position=False, images=None, **sizes):
    """A random network on random images, of which those in `right` have the right class."""
    sizes = SMALL | {"classes": 10} | sizes
    if position:
        height, width, channels = sizes["image"]
        sizes["image"] = (height, width, channels + 1)
    graph = random_network(**sizes)
    if position:
        embed = replace(graph.embedding, position=True)
        graph = replace(graph, layers=(embed, *graph.layers[1:]))
    if len(graph.classes) == len(FASHION_CLASSES):
        graph = replace(graph, classes=FASHION_CLASSES)
    core = network_core(graph)()
    if images is None:
        images = random_images(graph, count)
        if position:
            images = with_position(images[..., :-1], sizes["patch"])
    labels = np.zeros(count, np.int64)
    measured = Measured.of(core, images, labels, shown)
    labels[:] = (measured.found + 1) % len(graph.classes)
    labels[list(right)] = measured.found[list(right)]
    return measured


def test_counts_of_right_images_and_the_example():
    measured = measure(30, shown=12, right=(4, 7, 20))
    assert (measured.right, measured.example, measured.shown) == (3, 4, 12)
    assert measure(right=()).example == 0
    assert measure(30, shown=12, right=(20,)).example == 0
    assert measure(5, shown=24, right=(2,)).shown == 5


def test_cycles_by_layer_are_those_of_the_core():
    measured = measure(4)
    core = measured.core
    assert measured.image_cycles.tolist() == [core.cycles(image=one) for one in measured.images]
    most = core.program.layer_cycles()
    assert most.keys() == measured.cycles.keys()
    assert all((cycles <= most[layer]).all() for layer, cycles in measured.cycles.items())


@pytest.mark.parametrize("sizes", [{}, {"heads": 4, "steps": 1}, {"value_dims": 32, "steps": 7}])
def test_the_drawn_attention_is_the_computed_one(sizes):
    """The neurons of an attention fire as they do in the golden model, if v is weighted by what is
    drawn."""
    measured = measure(3, **sizes)
    for name, counts in measured.attention.items():
        layer, spikes = measured.core.GRAPH.layer(name), measured.example_spikes
        assert counts.max() > 0
        assert (counts == shared_spikes(layer, spikes)).all()
        currents = attended(layer, spikes)[None]
        assert (layer.neuron.fire(currents, len(counts))[0] == spikes[name]).all()


@pytest.mark.parametrize("position", [False, True])
def test_the_patch_is_the_one_with_most_contrast(position):
    """And not the one with most contrast in the channel of positions."""
    images = np.full((1, 12, 12, 1), 100, np.uint8)
    images[0, 4:6, 8:12] = 140  # in row 1 and column 2 of patches
    if position:
        images = with_position(images, (4, 4))
    assert measure(1, right=(0,), position=position, images=images).example_token == 5


def test_pictures_lack_the_channel_of_positions():
    grey, colour = measure(2, right=(), position=True), measure(2, right=(), image=(12, 12, 3))
    assert (pictures(grey.core.GRAPH, grey.images) == grey.images[..., 0]).all()
    assert (pictures(colour.core.GRAPH, colour.images) == colour.images).all()


def test_the_wrong_classes_are_marked():
    measured = measure(right=(1, 3))
    axes = draw_pictures(measured).axes[:24]
    assert [n for n, ax in enumerate(axes) if not ax.get_xlabel()] == [1, 3]
    classes = measured.core.GRAPH.classes
    assert axes[3].get_title() == classes[measured.found[3]]
    assert axes[4].get_title() == classes[measured.found[4]]
    assert axes[4].get_xlabel() == f"true: {classes[measured.labels[4]]}"


def test_a_raster_shows_every_spike():
    measured = measure(2, right=(1,))
    layers = {ax.get_title().partition(":")[0]: ax for ax in draw_spikes(measured).axes}
    for name, spikes in measured.example_spikes.items():
        shown = layers[name].images[0].get_array()
        steps, tokens, dims = spikes.shape
        assert shown.shape == (dims, steps * tokens)
        assert all(
            (shown[:, t * tokens : (t + 1) * tokens] == spikes[t].T).all() for t in range(steps)
        )


def test_the_attention_of_each_step_is_drawn_on_the_image():
    measured = measure(2, right=(0,), image=(12, 8, 1))
    axes = draw_attention(measured).axes
    counts = [
        step[measured.example_token]
        for weights in measured.attention.values()
        for head in weights.swapaxes(0, 1)
        for step in (*head, head.mean(0))
    ]
    assert len(counts) == 2 * 2 * 5
    for ax, expected in zip(axes, counts, strict=False):
        image, look = ax.images
        assert image.get_array().shape == (12, 8)
        assert (look.get_array() == expected.reshape(3, 2)).all()
        assert look.get_extent() == [-0.5, 7.5, 11.5, -0.5]


def test_bars_have_the_cycles_of_each_layer():
    measured = measure(3)
    left, right = draw_cycles(measured, USED, "iCE40UP5K").axes
    most, mean = left.containers
    assert [bar.get_width() for bar in mean] == [c.mean() for c in measured.cycles.values()]
    assert [bar.get_width() for bar in most] == [*measured.core.program.layer_cycles().values()]
    assert [bar.get_width() for bar in right.containers[1]] == [share for *_, share in USED]


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param({}, marks=pytest.mark.long),
        {"position": True, "steps": 16, "blocks": 1, "heads": 1, "count": 9},
        {"image": (4, 4, 3), "residual": "add", "steps": 1, "blocks": 1, "count": 1},
    ],
)
def test_no_texts_of_a_drawing_overlap(sizes):
    """And all of them are inside of it."""
    measured = measure(**sizes)
    drawings = {
        "pictures": draw_pictures(measured),
        "spikes": draw_spikes(measured),
        "attention": draw_attention(measured),
        "cycles": draw_cycles(measured, USED, "iCE40UP5K"),
    }
    for name, figure in drawings.items():
        boxes = text_boxes(figure)
        width, height = figure.canvas.get_width_height()
        for text, box in boxes:
            inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
            assert inside, f"{name}: {text} is cut off"
        for (one, a), (other, b) in combinations(boxes, 2):
            assert not a.overlaps(b), f"{name}: {one} and {other} overlap"


def text_boxes(figure):
    """(text, box) of all visible texts of a figure, in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    texts = [figure.get_suptitle() and figure._suptitle]
    for ax in figure.axes:
        texts += [*ax.texts, *(ax.get_legend().get_texts() if ax.get_legend() else ())]
        if not ax.axison:
            continue
        texts += [ax.title, ax.xaxis.label, ax.yaxis.label]
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            labels = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True)
            texts += [label for place, label in labels if low <= place <= high]
    renderer = canvas.get_renderer()
    return [
        (text.get_text(), text.get_window_extent(renderer))
        for text in texts
        if text and text.get_text()
    ]
