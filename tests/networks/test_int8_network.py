"""The table of `examples/int8_network.py`, which docs/int8_linear.md shows."""

from examples.int8_network import TOKENS, energy, grouped, layers


def test_layers():
    """Products over lanes, and a latency for each layer."""
    found = layers(64, 11)
    products = {"embed": 64, "q, k, v": 6 * 64, "proj": 2 * 64, "fc1": 2 * 128, "fc2": 2 * 128}
    for name, cycles in products.items():
        runs = {"q, k, v": 6, "embed": 1}.get(name, 2)
        assert 0 < found[name] - TOKENS * cycles < 25 * runs
    assert found["attention"] == 4 * 7389


def test_grouped():
    cycles = {"embed": 1, "block0.q": 2, "block0.k": 3, "block1.v": 4, "block1.fc1": 5, "head": 6}
    assert grouped(cycles) == {"embed": 1, "q, k, v": 9, "fc1": 5, "head": 6}


def test_energy():
    """More than the products alone at 0.2 pJ and the loads of the weights at 100 pJ for 64 bits."""
    products, weights = 3_312_256, 68_224
    assert energy() > products * 0.2e-6 + weights * 8 / 64 * 100e-6
