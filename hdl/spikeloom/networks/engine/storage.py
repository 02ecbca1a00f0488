"""The bitmap of every signal: which signals share one, and who reads it when."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..graph import INPUT, Graph
from ..layers import Attention, Convolution, Layer, Neurons, Pooling, Residual
from ..signals import Currents, Spikes
from .bitmap_memory import word_bits
from .bitmaps import Bitmap, Columns, allocate, padded
from .code_storage import CodeStorage, is_code
from .current_storage import CurrentStorage
from .image_layout import ImageLayout
from .operation import PIECE_BITS
from .source import Source
from .window import ALONE, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

BY_CORES = ("ssa", "spiked")  # forms of attention that cores beside the lanes compute


class Storage:
    """Bitmaps of a network, before and after they have addresses.

    An `iand` residual changes the bitmap of its first input, and an attention of form spike-driven
    that of its q. Another attention replaces its q, if nothing else reads that. The summands of an
    `add` residual lie one after the other.
    """

    def __init__(self, network: Graph, lanes: int) -> None:
        self._network = network
        self._lanes = lanes
        self._unit = word_bits(lanes)
        self.head_lanes = head_lanes(network, lanes)
        self._readers: dict[str, list[tuple[Layer, int]]] = {}
        for layer in network.layers:
            for n, name in enumerate(layer.inputs):
                self._readers.setdefault(name, []).append((layer, n))
        self._bitmaps: dict[str, Bitmap] = {}  # by the first signal that is there
        self._current: dict[str, str] = {}  # the signal that is there now
        self._plan_sums()
        self.image = ImageLayout(network)
        self.currents = CurrentStorage(network, lanes, self._unit)
        self.codes = CodeStorage(network, self.columns, self._unit)

    # Who reads what

    def needs_bitmap(self, layer: Layer) -> bool:
        """Whether the output of a layer is read from a bitmap of its own. It is not where it is the
        branch of an `iand` residual, goes to the memory of V, or is a sum of windows."""
        if _is_sum(layer):
            return False
        return any(
            not (_in_values(reader, n) or _is_branch(reader, n))
            for reader, n in self._readers[layer.name]
        )

    def _root(self, name: str) -> str:
        """The first signal of the bitmap in which a signal is."""
        layer = None if name == INPUT else self._network.layer(name)
        if isinstance(layer, Residual) and layer.form == "iand":
            return self._root(layer.inputs[0])
        if isinstance(layer, Attention) and self._replaces_q(layer):
            return self._root(layer.inputs[0])
        return name

    def _replaces_q(self, layer: Attention) -> bool:
        """Whether the output of an attention is written over its q."""
        if layer.form == "spike-driven":
            return True
        if layer.form == "spiked":
            return False
        q = self._network.layer(layer.inputs[0])
        readers = self._readers[q.name]
        own = self._readers[layer.name]
        once = not any(_in_values(one, n) or _is_branch(one, n) for one, n in own)
        summed = any(isinstance(one, Residual) and one.form == "add" for one, _ in own)
        private = all(reader is layer for reader, _ in readers) and not isinstance(q, Residual)
        if not (once and private and not summed):
            return False
        return self.columns(q.name) == self._attention_output(layer)

    def _leaves(self, name: str) -> list[str]:
        """The summands of a signal."""
        layer = self._network.layer(name)
        if _is_sum(layer):
            raise layer.error(
                "is a sum that the engine computes in the layer behind it; linear layers and the "
                "classifier may read it"
            )
        if isinstance(layer, Residual) and layer.form == "add":
            return [leaf for one in layer.inputs for leaf in self._leaves(one)]
        return [name]

    def _plan_sums(self) -> None:
        """Bitmaps for the summands of `add` residuals. Raises `InputError` unless each sum is a
        run of summands of one chain."""
        for layer in self._network.layers:
            if not isinstance(layer, Residual) or layer.form != "add":
                continue
            leaves = self._leaves(layer.name)
            roots = [self._root(leaf) for leaf in leaves]
            for n, root in enumerate(roots):
                if root in roots[:n]:
                    raise layer.error(
                        f"adds {leaves[n]} to {leaves[roots.index(root)]}, which has the same "
                        "place in memory; the engine adds different signals only"
                    )
            known = {id(b): b for b in map(self._bitmaps.get, roots) if b is not None}
            bitmap = next(iter(known.values())) if known else self._new(roots[0])
            there = bitmap.signals
            if len(known) > 1 or there[: len(roots)] != roots[: len(there)]:
                raise layer.error(
                    "adds its inputs in another order or branch than the residuals before; the "
                    "engine needs one chain: the sum first, then one new input"
                )
            for root in roots[len(there) :]:
                if self.columns(root) != self.columns(roots[0]):
                    raise layer.error(
                        "its inputs lie differently in memory, for heads of attention"
                    )
                there.append(root)
                self._bitmaps[root] = bitmap

    # Columns and bitmaps

    def columns(self, name: str) -> Columns:
        """The columns of a signal."""
        layer = self._network.layer(name)
        if isinstance(layer, Attention):
            return self._attention_output(layer)
        if isinstance(layer, Residual | Pooling | Neurons):
            return self.columns(layer.inputs[0])
        dims = self._dims(name)
        for reader, n in self._readers[name]:
            if isinstance(reader, Attention) and n in _by_heads(reader):
                head = dims // reader.heads
                return _columns(reader.heads, head, padded(head, PIECE_BITS))
        return Columns(1, dims, dims)

    def columns_of_attention(self, layer: Attention) -> tuple[Columns, Columns, Columns]:
        """The columns of q, k and v. Raises `InputError` if a head does not begin a piece."""
        if layer.form == "spike-driven":
            columns = self.columns(layer.inputs[0])
            return columns, columns, columns
        for name in (layer.inputs[n] for n in _by_heads(layer)):
            head = self._dims(name) // layer.heads
            wanted = _columns(layer.heads, head, padded(head, PIECE_BITS))
            if any(wanted.places != self.columns(leaf).places for leaf in self._leaves(name)):
                raise layer.error(
                    f"heads of {name} have {head} dims, not a multiple of {PIECE_BITS}; the engine "
                    "then takes the output of a layer of its own"
                )
        q, k, _ = layer.inputs
        return self.columns(q), self.columns(k), self._attention_output(layer, merged=False)

    def _attention_output(self, layer: Attention, *, merged: bool = True) -> Columns:
        """The columns of V and of the output: each head begins a group of lanes, or a part of one
        that holds several heads."""
        if layer.form == "spike-driven":
            return self.columns(layer.inputs[0])
        head = self._dims(layer.inputs[2]) // layer.heads
        unit = PIECE_BITS if layer.form in BY_CORES else max(PIECE_BITS, self.head_lanes)
        pitch = padded(head, unit)
        return _columns(layer.heads, head, pitch) if merged else Columns(layer.heads, head, pitch)

    def _dims(self, name: str) -> int:
        signal = self._network.signals[name]
        assert isinstance(signal, Spikes | Currents)
        return signal.dims

    def _tokens(self, name: str) -> int:
        signal = self._network.signals[name]
        assert isinstance(signal, Spikes)
        return signal.tokens

    def _new(self, root: str) -> Bitmap:
        signal = self._network.signals[root]
        assert isinstance(signal, Spikes)
        row_words = padded(self.columns(root).end, self._unit) // self._unit
        neuron = getattr(self._network.layer(root), "neuron", None)
        planes = 1 if neuron is None else neuron.bits
        words = signal.tokens * signal.steps * planes * row_words
        bitmap = Bitmap(row_words, words, [root], planes=planes)
        self._bitmaps[root] = bitmap
        return bitmap

    # In the order of operations

    def write(self, name: str, operation: int) -> tuple[Bitmap, int]:
        """The bitmap of a signal that an operation writes, and its place among the signals
        there."""
        root = self._root(name)
        bitmap = self._bitmaps.get(root) or self._new(root)
        bitmap.used(operation)
        self._current[root] = name
        return bitmap, bitmap.signals.index(root)

    def read(self, layer: Layer, name: str, operation: int) -> Source:
        """The signal `name`, which an operation of `layer` reads."""
        if name == INPUT:
            return self._read_image(layer)
        summed = self._network.layer(name)
        if isinstance(summed, Pooling) and _is_sum(summed) and not _has_windows(layer):
            source = self.read(summed, summed.inputs[0], operation)
            return replace(source, window=replace(source.window, shared=True))
        if is_code(self._network, name):
            return Source(self.codes.region(name, operation), 0, (name,), self.columns(name))
        leaves = self._leaves(name)
        for leaf in leaves:
            there = self._current.get(self._root(leaf))
            if there != leaf:
                raise layer.error(
                    f"reads {leaf}, which {there} has replaced; the engine needs all layers that "
                    f"read {leaf} before {there}"
                )
        root = self._root(leaves[0])
        bitmap = self._bitmaps[root]
        bitmap.used(operation)
        part = bitmap.signals.index(root)
        window = self._window(layer, name)
        return Source(bitmap, part, tuple(leaves), self.columns(leaves[0]), window)

    def _read_image(self, layer: Layer) -> Source:
        """The image, which an operation of `layer` reads."""
        source = Source(None, 0, (INPUT,), self.image.columns)
        if not isinstance(layer, Convolution):
            return source
        border = tuple(pixel >> (8 - self._network.pixel_bits) for pixel in layer.border)
        height, width, _ = self._network.image
        window = Window(layer.windows, (height, width))
        return replace(source, window=window, border=border)

    def _window(self, layer: Layer, name: str) -> Window:
        """The windows of input `name` of a layer."""
        if not isinstance(layer, Convolution | Pooling):
            return ALONE
        signal = self._network.signals[name]
        assert isinstance(signal, Spikes)
        return Window(layer.windows, layer.grid_of(signal, name))

    def value_words(self) -> int:
        """Words of the memory of V."""
        layers = summing(self._network)
        words = (self._tokens(layer.inputs[2]) * self.value_groups(layer) for layer in layers)
        return self._network.steps * max(words, default=0)

    def value_groups(self, layer: Attention) -> int:
        """Groups of lanes in a row of V."""
        columns = self._attention_output(layer, merged=False)
        return padded(columns.heads * columns.pitch, self._unit) // self._lanes

    def allocate(self) -> int:
        """Give addresses, behind those of the image. Returns the words of the memory."""
        unique: Sequence[Bitmap] = list({id(one): one for one in self._bitmaps.values()}.values())
        image_bits = self.image.rows * self.image.words * PIECE_BITS
        image_words = padded(image_bits, self._unit) // self._unit
        return allocate(list(unique), image_words)


def _has_windows(layer: Layer) -> bool:
    return isinstance(layer, Convolution | Pooling)


def _is_sum(layer: Layer) -> bool:
    """Whether a layer is a sum over windows, which the layers behind it compute."""
    return isinstance(layer, Pooling) and layer.form == "sum"


def _in_values(reader: Layer, number: int) -> bool:
    """Whether input `number` of a layer lies in the memory of V."""
    if not isinstance(reader, Attention):
        return False
    if reader.form in BY_CORES:
        return False
    return number == 2 or (number == 1 and reader.form == "spike-driven")


def _by_heads(reader: Attention) -> range:
    """The inputs of an attention that are read from bitmaps, head by head."""
    return range({"spike-driven": 0, **dict.fromkeys(BY_CORES, 3)}.get(reader.form, 2))


def summing(network: Graph) -> list[Attention]:
    """The attentions that the adders compute, with a state and the memory of V."""
    attentions = [layer for layer in network.layers if isinstance(layer, Attention)]
    return [layer for layer in attentions if layer.form not in BY_CORES]


def head_lanes(network: Graph, lanes: int) -> int:
    """Lanes that a head of an attention takes: a power of two, at least the dims of V, or all. Form
    spike-driven has no heads."""
    attentions = summing(network)
    if not attentions or any(layer.form == "spike-driven" for layer in attentions):
        return lanes
    values = [layer.qkv(network.sources(layer))[2].dims // layer.heads for layer in attentions]
    return min(lanes, 1 << (max(PIECE_BITS, *values) - 1).bit_length())


def _is_branch(reader: Layer, number: int) -> bool:
    """Whether input `number` of a layer is the branch of an `iand` residual."""
    return isinstance(reader, Residual) and reader.form == "iand" and number == 1


def _columns(heads: int, dims: int, pitch: int) -> Columns:
    """The columns of heads; without gaps between them, of one head."""
    return Columns(1, heads * dims, heads * dims) if pitch == dims else Columns(heads, dims, pitch)
