"""The pixel outside an image, of a convolution."""

from dataclasses import replace

import numpy as np
import pytest

from spikeloom.errors import InputError
from spikeloom.networks.layers import Convolution
from spikeloom.networks.neuron import Neuron
from spikeloom.networks.signals import Image, Spikes

RNG = np.random.default_rng(4)
LAYER = Convolution(
    name="stem",
    inputs=("image",),
    weight=RNG.integers(-9, 10, (18, 3)).astype(np.int8),
    bias=np.zeros(3, np.int32),
    kernel=(3, 3),
    padding=(1, 1),
    border=(200, 96),
    neuron=Neuron(threshold=40),
)
IMAGE = Image(1, 4, 5, 2, 6)


def test_the_border_is_as_pixels_around_the_image():
    """A layer with padding equals one without, on an image with that pixel around it."""
    pixels = RNG.integers(0, 64, (7, 4, 5, 2)).astype(np.uint8)
    around = np.empty((7, 6, 7, 2), np.uint8)
    around[:] = [200 >> 2, 96 >> 2]
    around[:, 1:5, 1:6] = pixels
    inside = replace(LAYER, padding=(0, 0), border=())
    expected = inside.compute([Image(1, 6, 7, 2, 6)], [around])
    found = LAYER.compute([IMAGE], [pixels])
    assert np.array_equal(found, expected)
    assert (found != replace(LAYER, border=()).compute([IMAGE], [pixels])).any()


@pytest.mark.parametrize(
    ("border", "source", "message"),
    [
        ((1,), IMAGE, "border has 1 byte; the image has 2 channels"),
        ((1, 256), IMAGE, "layer stem: border"),
        ((1, -1), IMAGE, "layer stem: border"),
        ("ab", IMAGE, "border must be a list of bytes"),
        ((1, 1), Spikes(1, 20, 2, grid=(4, 5)), "border is for the image"),
    ],
)
def test_refusals(border, source, message):
    with pytest.raises(InputError, match=message):
        replace(LAYER, border=border).output([source])
