"""PyTorch modules against the golden model, bit for bit; training from a checkpoint."""

from importlib.util import find_spec

import numpy as np
import pytest

from spikeloom.errors import InputError
from spikeloom.networks import golden
from spikeloom.networks.file import from_bytes, to_bytes
from spikeloom.networks.network import network_core
from spikeloom.networks.neuron import Neuron
from spikeloom_models.data import Labelled
from spikeloom_models.tasks import assess

from .needs_torch import NEEDS_TORCH

if find_spec("torch") is not None:
    import torch

    from spikeloom_models.export import to_graph
    from spikeloom_models.torch import (
        LIF,
        Classifier,
        ReLU,
        SpikingLinear,
        SpikingTransformer,
        Ternary,
        TransformerShape,
        VisionTransformer,
    )
    from spikeloom_models.training import Recipe, _events, augment, classes_of, train

pytestmark = NEEDS_TORCH

SMALL = {"image": (8, 12, 1), "width": 8, "hidden": 12, "blocks": 1, "classes": 3, "steps": 3}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def images(count, shape, seed=5):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, *shape.image), dtype=np.uint8)


def completed(graph, x):
    """Images with the channel of positions, if the network has one."""
    return network_core(graph)().inputs["image"].complete(x)


def lively(shape, seed=3):
    """A network whose layers all spike: random weights, biases towards the threshold."""
    torch.manual_seed(seed)
    model = SpikingTransformer(shape)
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, SpikingLinear):
                layer.bias.uniform_(-0.2, 0.8)
                layer.scale.uniform_(0.5, 1.5)
        for block in model.blocks:
            if shape.form != "ssa":
                block.attention.log_threshold.fill_(
                    np.log({"spike-driven": 2.0}.get(shape.form, 5.0))
                )
        model.head.bias.uniform_(-1, 1)
        for layer in model.modules():
            if isinstance(layer, SpikingLinear):
                layer.momentum = 1.0
        model(torch.from_numpy(images(32, shape)))
    return model


@pytest.mark.parametrize("leak", [0, 1])
@pytest.mark.parametrize("kind", ["lif", "ternary"])
def test_neuron(kind, leak):
    rng = np.random.default_rng(leak)
    current = rng.integers(-110, 130, (9, 5, 4, 7))
    module = {"lif": LIF, "ternary": Ternary}[kind](leak)
    spikes = module(torch.from_numpy(current).float(), 64.0, integer=True)
    neuron = Neuron(threshold=64, leak=leak, kind=kind)
    expected = neuron.fire(current.swapaxes(0, 1).astype(np.int32), 9).swapaxes(0, 1)
    assert 0.1 < abs(expected).mean() < 0.9
    assert {*np.unique(expected)} == ({-1, 0, 1} if kind == "ternary" else {0, 1})
    assert np.array_equal(spikes.numpy(), expected)


@pytest.mark.parametrize(("bits", "threshold"), [(1, 7), (3, 64), (8, 3), (8, 65_535)])
def test_relu(bits, threshold):
    """Every value around each level."""
    levels = threshold * np.arange(-2, 2**bits + 3)
    current = (levels[:, None] + np.array([-1, 0, 1])).reshape(1, 1, -1)
    values = ReLU(bits)(torch.from_numpy(current).float(), float(threshold), integer=True)
    neuron = Neuron(threshold=threshold, kind="relu", bits=bits)
    assert np.array_equal(values.numpy(), neuron.fire(current.astype(np.int32), 1))


@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"weight_bits": 4},
        {"weight_bits": 6, "pixel_bits": 3, "heads": 1},
        {"blocks": 2, "pixel_bits": 8, "position": False},
        {"image": (8, 8, 3), "steps": 1},
        {"form": "a2os2a", "blocks": 2},
        {"form": "a2os2a", "heads": 1, "k_bits": 8, "weight_bits": 4},
        {"form": "spike-driven", "blocks": 2},
        {"form": "ssa", "blocks": 2, "steps": 10},
    ],
    ids=str,
)
def test_quantised_network_equals_the_golden_model(sizes):
    """Spikes of every layer and logits, in training and in evaluation mode."""
    shape = TransformerShape(**(SMALL | sizes))
    model, x = lively(shape), images(12, shape)
    model.quantise()
    graph = to_graph(model, "small")
    expected = golden.run(graph, completed(graph, x), keep=True)
    assert all(len(np.unique(spikes)) > 1 for spikes in expected.spikes.values())
    for mode in (False,) if shape.form == "ssa" else (True, False):  # in training, ssa draws
        logits, spikes = model.train(mode).with_spikes(torch.from_numpy(x))
        assert spikes.keys() == expected.spikes.keys()
        for name, layer in spikes.items():
            assert np.array_equal(layer.detach().numpy().swapaxes(0, 1), expected.spikes[name])
        assert np.array_equal(logits.detach().numpy(), expected.logits)


def test_flagship_fits_its_limits():
    shape = TransformerShape()
    model = lively(shape)
    model.quantise()
    graph = to_graph(model, "flagship")
    assert (graph.tokens, graph.steps, graph.image) == (49, 4, (28, 28, 2))
    assert graph.weights <= 131_072
    assert graph.accumulator_bits <= 18
    assert len(to_bytes(graph)) < 1_000_000


def test_export_round_trip():
    model = lively(TransformerShape(**SMALL))
    with pytest.raises(InputError, match="network small is not quantised"):
        to_graph(model, "small")
    model.quantise()
    graph = to_graph(model, "small", ("a", "b", "c"), "Apache-2.0", "described")
    again = from_bytes(to_bytes(graph))
    assert (again.classes, again.licence, again.description) == (
        ("a", "b", "c"),
        "Apache-2.0",
        "described",
    )
    x = completed(graph, images(5, model.shape))
    assert np.array_equal(golden.run(graph, x).logits, golden.run(again, x).logits)
    loaded = SpikingTransformer(model.shape)
    loaded.load_state_dict(model.state_dict())
    assert to_bytes(to_graph(loaded, "small", graph.classes, "Apache-2.0", "described")) == (
        to_bytes(graph)
    )


def test_quantisation_keeps_what_the_network_computes():
    """8 bits change few spikes of the first layers; thresholds are even."""
    model = lively(TransformerShape(**SMALL)).eval()
    x = torch.from_numpy(images(30, model.shape))
    _, before = model.with_spikes(x)
    model.quantise()
    _, after = model.with_spikes(x)
    for name in ("embed", "block0.q"):
        assert (before[name] == after[name]).float().mean() > 0.98
    assert all(int(t) % 2 == 0 for t in model.blocks[0].qkv.threshold)


def test_unrounded_network_is_the_same_but_for_rounding():
    model = lively(TransformerShape(**SMALL)).eval()
    x = torch.from_numpy(images(30, model.shape))
    logits, before = model.with_spikes(x)
    model.quantise()
    twin = model.unrounded()
    again, after = twin.with_spikes(x)
    for name in ("embed", "block0.q", "block0.k", "block0.v"):  # before the rounded threshold
        assert (before[name] == after[name]).float().mean() > 0.999
    assert again.shape == logits.shape
    assert bool(model.head.integer)  # the network itself is as it was


def test_gradients_pass_the_integers():
    model = lively(TransformerShape(**SMALL)).train()
    model.quantise()
    model(torch.from_numpy(images(4, model.shape))).square().mean().backward()
    assert all(layer.weight.grad.abs().sum() > 0 for layer in (model.embed, model.head))


def test_classifier_stays_below_its_largest_sum():
    head = Classifier(16, 4, largest_sum=5000)
    head.quantise(slots=100)
    weight = head.integer_weight().detach().numpy()
    bias = head.integer_bias(100).detach().numpy()
    largest = (np.where(weight > 0, weight, 0).sum(0) * 100 + bias).max()
    smallest = (np.where(weight < 0, weight, 0).sum(0) * 100 + bias).min()
    assert 2000 < max(largest, -smallest) <= 5000


def labelled(count=48):
    shape = TransformerShape(**SMALL)
    x = images(count, shape)
    labels = np.arange(count) % 3
    x[labels == 1, :, :6] //= 4
    x[labels == 2, :, 6:] //= 4
    return Labelled(x, labels)


def test_training_learns_and_is_exact():
    shape, data = TransformerShape(**SMALL), labelled(240)
    recipe = Recipe(epochs=10, batch=24, rate=0.02, cycles=1e9, compiled=False)
    model = train(shape, data, recipe)
    found = assess(to_graph(model, "small"), data, jobs=1)
    with torch.no_grad():
        logits, spikes = model.with_spikes(torch.from_numpy(data.images))
    assert found.accuracy == np.mean(logits.argmax(1).numpy() == data.labels) > 0.6
    ones = {name: layer.ones for name, layer in found.layers.items()}
    assert ones == pytest.approx({name: float(x.mean()) for name, x in spikes.items()})


def test_vision_transformer_learns():
    shape, data = TransformerShape(**SMALL), labelled(240)
    recipe = Recipe(epochs=10, short_epochs=0, integer_epochs=0, batch=24, compiled=False)
    model = train(shape, data, recipe, kind=VisionTransformer)
    assert np.mean(classes_of(model, data.images) == data.labels) > 0.8


def test_a_network_is_quantised_at_the_end_at_the_latest():
    recipe = Recipe(epochs=1, short_epochs=1, integer_epochs=0, batch=16, compiled=False)
    model = train(TransformerShape(**SMALL), labelled(), recipe)
    assert bool(model.head.integer)
    assert model.embed.steps == SMALL["steps"]


def test_training_goes_on_from_a_checkpoint(tmp_path):
    """Interrupted after each epoch, before and after the quantisation: the same weights."""
    shape, data = TransformerShape(**SMALL), labelled()
    recipe = Recipe(epochs=4, short_epochs=1, integer_epochs=2, batch=16, compiled=False)
    whole = train(shape, data, recipe).state_dict()

    def stop_in(epoch):
        def report(progress):
            if progress.epoch == epoch:
                raise KeyboardInterrupt

        return report

    for epoch in (1, 2, 3):
        with pytest.raises(KeyboardInterrupt):
            train(shape, data, recipe, tmp_path / "state.pt", stop_in(epoch))
    parts = train(shape, data, recipe, tmp_path / "state.pt").state_dict()
    assert all(torch.equal(parts[name], value) for name, value in whole.items())
    other = Recipe(epochs=5, short_epochs=1, integer_epochs=2, batch=16, compiled=False)
    with pytest.raises(InputError, match="was trained with epochs = 4, not 5"):
        train(shape, data, other, tmp_path / "state.pt")
    (tmp_path / "state.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(InputError, match="is not a checkpoint of `spikeloom train`"):
        train(shape, data, recipe, tmp_path / "state.pt")


def test_gradient_of_relu_values():
    """That of a ramp: between both ends, the lowest and the highest value included."""
    current = torch.tensor([[-0.1, 0.0, 0.7, 1.5, 3.9, 4.0]], requires_grad=True)
    values = ReLU(bits=2)(current)
    values.sum().backward()
    assert values[0].tolist() == [0, 0, 0, 1, 3, 3]
    assert current.grad[0].tolist() == [0, 1, 1, 1, 1, 0]


def test_weights_at_the_end_of_their_range_learn():
    """The largest weight of a classifier is the largest integer, and its gradient is not lost."""
    head = Classifier(2, 2)
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[1.0, -1.0], [0.5, 0.25]]))
    head.quantise(1)
    assert head.integer_weight().detach().abs().max() == head.largest
    head.integer_weight().sum().backward()
    assert (head.weight.grad == head.gain).all()


def test_events_are_counted_and_have_a_gradient():
    """A spike of either sign, and a value of 3, is one event; each can be penalised."""
    values = torch.tensor([0.0, 1.0, -1.0, 3.0]).reshape(1, 1, 1, 4).requires_grad_()
    events = _events(values)
    events.backward()
    assert events.item() == 0.75
    assert (values.grad.flatten() * 4).tolist() == pytest.approx([0, 1, -1, 1 / 3])


@pytest.mark.parametrize("name", ["nonsense", "cuda:999", "meta", ""])
def test_a_device_that_cannot_compute_gets_one_line(name):
    with pytest.raises(
        InputError, match=f"--device {name}: PyTorch cannot compute there"
    ) as caught:
        train(TransformerShape(**SMALL), labelled(), Recipe(batch=16, device=name, compiled=False))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_augmentation_turns_and_zooms():
    """About the centre; a square of 8 pixels stays as bright, but for its size."""
    image = torch.zeros(100, 16, 16, 1, dtype=torch.uint8)
    image[:, 4:12, 4:12] = 200
    turned = augment(image, Recipe(shift=0, turn=90), torch.Generator().manual_seed(1))
    assert (turned != image).any((1, 2, 3)).sum() > 90
    sums = turned.sum((1, 2, 3)) / image[0].sum()
    assert ((sums > 0.9) & (sums < 1.1)).all()
    zoomed = augment(image, Recipe(shift=0, zoom=0.5), torch.Generator().manual_seed(1))
    sides = (zoomed[:, 8, :, 0] > 99).sum(1)
    assert (sides.min(), sides.max()) == (4, 12)
    still = augment(image, Recipe(shift=0, turn=1e-9), torch.Generator())
    assert torch.equal(still, image)


def test_augmentation_shifts_and_mirrors():
    image = torch.zeros(200, 5, 7, 1, dtype=torch.uint8)
    image[:, 2, 1, 0] = 9
    moved = augment(image, Recipe(shift=1, flip=True), torch.Generator().manual_seed(1))
    assert (moved.sum((1, 2, 3)) == 9).all()
    places = {(int(y), int(x)) for _, y, x, _ in moved.nonzero()}
    assert places == {(y, x) for y in (1, 2, 3) for x in (0, 1, 2, 4, 5, 6)}
    still = augment(image, Recipe(shift=0, flip=False), torch.Generator())
    assert torch.equal(still, image)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SpikingLinear(4, 6, bits=5), "weight bits must be one of"),
        (lambda: SpikingLinear(4, 6, parts=3, neurons=[LIF()]), "1 neurons for 3 parts"),
        (lambda: ReLU(9), "bits must be 1 to 8, not 9"),
        (lambda: TransformerShape(form="ssa2"), "unknown form 'ssa2'"),
        (lambda: SpikingLinear(4, 7, parts=3), "7 outputs are not a multiple of 3 parts"),
        (lambda: LIF(16), "leak must be 0 to 15, not 16"),
        (lambda: TransformerShape(image=(9, 8, 1)), "no patches of 4 x 4"),
        (lambda: TransformerShape(heads=5), "5 heads do not divide"),
        (lambda: Recipe(epochs=2, integer_epochs=3), "3 of 2 epochs in integers"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()
