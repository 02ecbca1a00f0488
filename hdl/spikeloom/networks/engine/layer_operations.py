"""The operations of each kind of layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ..graph import INPUT, Graph
from ..layers import (
    Attention,
    Convolution,
    Layer,
    Linear,
    Neurons,
    PatchEmbedding,
    Pooling,
)
from ..neuron import NO_NEURON, Neuron
from ..signals import Currents, Spikes
from .attention_operations import attend, state_words
from .bitmap_memory import word_bits
from .bitmaps import Columns, padded
from .code_storage import is_code, reads_codes
from .constants import Row, fewest_doubled_rows, fewest_step_rows
from .current_operations import fire
from .operation import IN_VALUES, PIECE_BITS, Entry, Kind, Operation, Target
from .phase_heads import PhaseHeads
from .phase_operations import filling, sum_codes
from .rests import leak_of, padded_rests, rest_of, step_constant, varied_rest
from .source import Source
from .stochastic_heads import StochasticHeads
from .storage import Storage, summing
from .weight_format import WeightFormat
from .weight_image import WeightImage

if TYPE_CHECKING:
    from numpy.typing import NDArray


class LayerOperations:
    """Collects the operations of layers and their weights.

    Parameters
    ----------
    network : Graph. lanes : outputs that are computed at once.
    weight_format : of its weights and constants.
    """

    def __init__(self, network: Graph, *, lanes: int, weight_format: WeightFormat) -> None:
        self.network = network
        self.lanes = lanes
        self.weight_format = weight_format
        self.shift, self.bits = weight_format.shift, weight_format.bits
        self.weights = WeightImage(lanes)
        self.storage = Storage(network, lanes)
        self.signed_state = any(map(self._learns_signed, network.layers))
        self.operations: list[Callable[[], Operation]] = []
        self.heads: StochasticHeads | None = None
        self.phase_heads: PhaseHeads | None = None
        self.levels: list[list[int]] = []  # of phase codes
        spans = [1, *(state_words(self, one) for one in summing(network))]
        self.index_bits = (max(spans) - 1).bit_length()

    def _learns_signed(self, layer: Layer) -> bool:
        """Whether the state of an attention gains multiples of V, or loses V."""
        if not isinstance(layer, Attention):
            return False
        v = self.network.signals[layer.inputs[2]]
        neuron = getattr(self.network.layer(layer.inputs[1]), "neuron", None)
        return getattr(v, "low", 0) < 0 or (neuron is not None and neuron.kind == "relu")

    def compute(self, layer: Layer, target: Target, signal: str = "") -> None:
        """Compute a layer with neurons, to the bitmap of `signal` or to V."""
        if isinstance(layer, PatchEmbedding | Convolution) and layer.inputs == (INPUT,):
            self._embed(layer, target, signal)
        elif isinstance(layer, Linear) and reads_codes(self.network, layer):
            sum_codes(self, layer, target, signal)
        elif isinstance(layer, Linear | Convolution):
            self._linear(layer, target, signal)
        elif isinstance(layer, Attention):
            attend(self, layer, target, signal)
        elif isinstance(layer, Neurons):
            fire(self, layer, target, signal)

    def neurons(self, layer: Layer, name: str) -> Layer:
        """The layer called `name`, which must have neurons."""
        source = self.network.layer(name)
        drawn = isinstance(source, Attention)
        if getattr(source, "neuron", NO_NEURON).kind == "none" and not drawn:
            raise layer.error(
                f"input {name} has no neurons; the engine takes the output of a layer with neurons"
            )
        return source

    # Layers with neurons

    def _linear(self, layer: Linear | Convolution, target: Target, signal: str) -> None:
        columns = self.columns_of(layer, target, signal)
        constants = self.step_rows(layer, columns)
        source = self.read(layer, layer.inputs[0])
        late = self._late_rows(layer, columns)
        rows = [row for _, row in (*constants, *late)]
        end = self.weight_format.end(layer, source.values)
        ending = self._ending(layer, end + len(rows))
        zeros = [np.zeros_like(rows[0])] * (layer.neuron.kind == "none" and layer.neuron.shift > 0)
        base, pitch = self.matrix(layer, columns, source, [*rows, *zeros])
        first, later = self.opening(layer, constants, end, late=late)
        self.emit(
            layer,
            source,
            rows=self.network.steps,
            head=first,
            following=(*ending, *later),
            tail=ending,
            tokens=self.tokens_of(layer),
            w_base=base,
            w_pitch=pitch,
            **self.neuron_fields(layer),
            **self.output(layer, columns, target, signal),
        )

    def _embed(self, layer: PatchEmbedding | Convolution, target: Target, signal: str) -> None:
        """A layer of the image."""
        planes = self.network.pixel_bits
        columns = self.columns_of(layer, target, signal)
        constant = self.at_columns(step_constant(layer), columns, layer)
        rows = fewest_doubled_rows(constant, self.shift, self.bits, planes - 1)
        if rows is None:
            raise self._too_large(layer)
        before, after = rows
        source = self.read(layer, INPUT)
        pixels = self.weight_format.end(layer, source.values)
        constants = [np.zeros_like(constant), *(row for _, row in (*before, *after))]
        base, pitch = self.matrix(layer, columns, source, constants)
        nothing = Entry(Kind.ADD, pixels)
        tail = [*self.added(after, pixels + 1 + len(before)), nothing, Entry(Kind.FIRST, pixels)]
        tail += self.halving(layer, pixels)
        fixed = len(tail) + max(1, len(before)) + 2 * (planes - 1)
        tail[:0] = filling(self, target, fixed, pixels)
        none = layer.neuron.kind == "none"
        again = [Entry(Kind.FIRST if none else Kind.NEXT, pixels)]
        if layer.neuron.reset == "soft":
            again.append(Entry(Kind.SOFT, pixels))
        tail += again * (self._rows_of(target, signal) - 1)
        self.emit(
            layer,
            source,
            rows=planes,
            tokens=self.tokens_of(layer),
            w_base=base,
            w_pitch=pitch,
            head=tuple(self.added(before, pixels + 1)) or (nothing,),
            following=(nothing, Entry(Kind.CAPTURE, pixels)),
            tail=tuple(tail),
            **self.neuron_fields(layer),
            **self.output(layer, columns, target, signal),
        )

    def pool(self, layer: Pooling) -> None:
        """Pool spikes, piece by piece; all rows of a token follow each other."""
        source = self.read(layer, layer.inputs[0])
        signal = self.network.signals[layer.inputs[0]]
        if signal != replace(signal, high=1, low=0):
            raise layer.error("pools sums; the engine takes the largest of spikes, or sums of them")
        output = self.output(layer, self.storage.columns(layer.name), Target.POOL, layer.name)
        self.emit(layer, source, rows=0, tokens=self.tokens_of(layer), **output)

    def _ending(self, layer: Any, zero: int) -> tuple[Entry, ...]:
        """Entries that end a step: ternary and relu neurons send more than one bit, currents are
        halved. `zero` is a row of zeros."""
        if layer.neuron.kind == "none":
            return self.halving(layer, zero)
        if layer.neuron.kind == "ternary":
            return (Entry(Kind.TEST), Entry(Kind.BACK))
        return (Entry(Kind.SPLIT),) * (layer.neuron.bits - 1)

    def halving(self, layer: Any, zero: int) -> tuple[Entry, ...]:
        """Entries that shift the currents of a layer; `zero` is a row of zeros."""
        shifts = layer.neuron.shift if layer.neuron.kind == "none" else 0
        return (Entry(Kind.HALVE, zero),) * shifts

    def _rows_of(self, target: Target, signal: str) -> int:
        """Rows of a token in memory, of an operation that writes `signal`."""
        if target == Target.CODES:
            return 1
        if target == Target.CURRENTS:
            return self.storage.currents.rows(signal)
        return self.network.steps

    # Parts of operations

    @property
    def number(self) -> int:
        """The number of the next operation."""
        return len(self.operations)

    def emit(self, layer: Layer, source: Source, **fields: Any) -> None:
        """Append an operation, complete but for addresses of bitmaps."""
        number = self.number
        fields.setdefault("o_rows", self.network.steps)
        fields.setdefault("leak", self.network.embedding.neuron.leak)  # where it does not matter
        fields.setdefault("digits", self.network.digits(layer))
        if source.bitmap is not None:
            source.bitmap.used(number)
        output = fields.pop("output", None)
        if output is not None:
            output[0].used(number)
        self.operations.append(lambda: self._operation(layer, source, output, **fields))

    def _operation(self, layer, source, output, *, first_token=0, piece=0, **fields) -> Operation:
        per_word = word_bits(self.lanes) // PIECE_BITS
        bitmap, window = source.bitmap, source.window
        dims = fields.pop("dims", (0, len(source.columns.places)))
        places = [place - piece for place in source.columns.places[dims[0] : dims[1]]]
        words = places[-1] // PIECE_BITS + 1 if places else 1
        planes = 1 if bitmap is None else bitmap.planes
        if bitmap is None:
            base = part_pieces = 0
            row_pieces = words
        elif source.second is not None:
            # Currents: entries count addresses from w_base.
            row_pieces, part_pieces = bitmap.row_words, source.second.base - bitmap.base
            base = bitmap.base - fields["w_base"]
        elif is_code(self.network, source.inputs[0]):
            row_pieces, part_pieces, base = bitmap.row_words, 0, bitmap.base
        else:
            row_pieces, part_pieces = bitmap.row_words * per_word, bitmap.words * per_word
            base = bitmap.base * per_word + source.part * part_pieces + piece // PIECE_BITS
        if fields.get("target") == Target.POOL:
            fields["rows"], row_pieces, words = self.network.steps * row_pieces, 1, 1
        # The highest bit of a value comes first.
        plane = planes - 1 - fields.get("plane", 0)
        row = planes * row_pieces
        pitch = fields["rows"] * row
        if fields.get("codes"):
            # All steps are in one row.
            row, pitch = (row_pieces, 0) if fields.get("by_row") else (0, row_pieces)
        parts = len(source.inputs)
        if output is not None:
            written, part = output
            fields["o_base"] = written.base + part * written.words
        return Operation(
            name=layer.name,
            inputs=source.inputs,
            dims=dims,
            first_token=first_token,
            columns=tuple(source.values.places if window.windows else places),
            window=window,
            border=source.border,
            x_base=base + first_token * pitch + plane * row_pieces + window.offset(pitch),
            words=words,
            parts=parts,
            **window.steps(pitch, row, fields["rows"], words, part_pieces, parts),
            **fields,
        )

    def read(self, layer: Layer, name: str) -> Source:
        """The signal `name`, for the next operation, which is one of `layer`."""
        return self.storage.read(layer, name, self.number)

    def columns_of(self, layer: Layer, target: Target, signal: str) -> Columns:
        """The columns in which a layer's outputs are wanted."""
        if target in IN_VALUES:
            reader = self.network.layer(signal)
            assert isinstance(reader, Attention)
            return self.storage.columns_of_attention(reader)[2]
        return self.storage.columns(signal)

    def output(self, layer: Layer, columns: Columns, target: Target, signal: str) -> dict[str, Any]:
        """Fields of an operation about its output."""
        unit = word_bits(self.lanes)
        groups = padded(columns.heads * columns.pitch, unit) // self.lanes
        if target in IN_VALUES:
            return {"target": target, "o_base": 0, "o_row": groups, "groups": groups}
        if target == Target.CURRENTS:
            region = self.storage.currents.write(signal, self.number)
            groups, rows = self.storage.currents.groups(signal), self._rows_of(target, signal)
            fields = {"o_row": groups, "o_rows": rows, "groups": groups}
            return {"target": target, "output": (region, 0), **fields}
        if target == Target.CODES:
            region = self.storage.codes.region(signal, self.number)
            groups = region.row_words * PIECE_BITS // self.lanes
            return {"target": target, "output": (region, 0), "o_rows": 1, "groups": groups}
        bitmap, part = self.storage.write(signal, self.number)
        row = bitmap.row_words
        groups = row * unit // self.lanes
        fields = {"o_row": row, "o_rows": self.network.steps * bitmap.planes, "groups": groups}
        return {"target": target, "output": (bitmap, part), **fields}

    def neuron_fields(self, layer: Any) -> dict[str, Any]:
        """Fields of an operation about its neurons."""
        neuron, varied = layer.neuron, varied_rest(layer) is not None
        return {
            "rest": 0 if varied and neuron.reset == "soft" else rest_of(layer),
            "varied": varied,
            "leak": leak_of(layer),
            "soft": neuron.reset == "soft",
            "ternary": neuron.kind == "ternary",
            "split": neuron.kind == "relu",
            "halves": neuron.kind == "none" and neuron.shift > 0,
            **(self._code_fields(neuron) if neuron.kind == "phase" else {}),
        }

    def _code_fields(self, neuron: Neuron) -> dict[str, Any]:
        """Fields of an operation about the codes of its neurons."""
        levels = neuron.levels(self.network.steps)
        if levels not in self.levels:
            self.levels.append(levels)
        return {"levels": self.levels.index(levels), "bipolar": neuron.signed}

    def tokens_of(self, layer: Layer) -> int:
        """Tokens of the output of a layer."""
        signal = self.network.signals[layer.name]
        assert isinstance(signal, Spikes | Currents)
        return signal.tokens

    def at_columns(self, values: NDArray, columns: Columns, layer: Any = None) -> NDArray:
        """Values of outputs at their columns. Other columns have the constant of the smallest bias,
        or of none if all are positive, so that they never fire; of ternary neurons that of none."""
        width = padded(columns.heads * columns.pitch, word_bits(self.lanes))
        none = 0 if layer is None or not leak_of(layer) else rest_of(layer)
        symmetric = layer is not None and (layer.neuron.low < 0 or layer.neuron.kind == "none")
        result = np.full(width, none if symmetric else min(none, values.min()), np.int64)
        result[columns.places] = values
        return result

    def step_rows(self, layer: Any, columns: Columns | None) -> list[Row]:
        """Rows of the constant that a layer adds in every step, for the columns or for one."""
        constant = step_constant(layer)
        wanted = constant if columns is None else self.at_columns(constant, columns, layer)
        return self.rows(layer, wanted)

    def _late_rows(self, layer: Linear | Convolution, columns: Columns) -> list[Row]:
        """Rows of what thresholds of their own add to the rest; none without any."""
        rests = padded_rests(layer, columns, word_bits(self.lanes))
        return [] if rests is None else self.rows(layer, rests)

    def rows(self, layer: Layer, constant: NDArray) -> list[Row]:
        if (rows := fewest_step_rows(constant, self.shift, self.bits)) is None:
            raise self._too_large(layer)
        return rows

    def _too_large(self, layer: Layer) -> InputError:
        return layer.error(
            f"threshold and bias are too large for lanes of {self.bits} bits; reduce them, or give "
            "the network wider weights or lane_bits"
        )

    def opening(
        self,
        layer: Any,
        constants: Sequence[Row],
        row: int,
        pitch: int = 1,
        late: Sequence[Row] = (),
    ) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
        """Entries that begin the first step, and a later one: the first row opens it, and the
        others follow, `pitch` rows apart, and the `late` ones behind them."""
        opening, after = Entry(Kind.OPEN, row), row + pitch * len(constants)
        added = self.added(constants[1:], row + pitch, pitch)
        reset = [
            Entry(Kind.LATE_SHIFTED if factor > 1 else Kind.LATE, after + n * pitch)
            for n, (factor, _) in enumerate(late)
        ]
        if not late and layer.neuron.reset == "soft":
            reset = [Entry(Kind.SOFT, row)]
        return (opening, *added, *self.added(late, after, pitch)), (opening, *reset, *added)

    def added(self, constants: Sequence[Row], row: int, pitch: int = 1) -> list[Entry]:
        """Entries of rows from `row` on."""
        return [
            Entry(Kind.SHIFTED if factor > 1 else Kind.ADD, row + n * pitch)
            for n, (factor, _) in enumerate(constants)
        ]

    def matrix(
        self, layer: Any, columns: Any, source: Source, constants: Sequence[NDArray]
    ) -> tuple[int, int]:
        """Place weights and constants. Returns their address and the words of a group."""
        if isinstance(columns, int):
            columns = Columns(1, columns, columns)
        values = source.values
        rows = self.weight_format.rows(layer, values, columns, constants)
        key = (layer.name, columns, values)
        return self.weights.place(key, rows), len(rows)
