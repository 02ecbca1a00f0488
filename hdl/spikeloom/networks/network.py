"""A network as a core: its keys, streams, golden model and cycles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, make_dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..configuration import choice, integer
from ..contract import Core
from ..errors import InputError
from ..item import SInt, UInt
from ..port import Port
from ..work import Work
from . import file, golden
from .engine_limits import CHUNK_BITS, ENGINES, LANES
from .graph import INPUT, Graph
from .image_port import ImagePort
from .presets import presets
from .work import work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..blocks.component import Component
    from .engine import Program

SHORT = 16  # digits of the hash in the key `content`
EXAMPLES = 8  # random images


@dataclass(frozen=True, kw_only=True)
class Network(Core):
    """A network on the engine. Each network has its own class, see `network_core`.

    Input `image` (Y, X, C) of bytes; outputs `logits`, one integer for each class, and `label`, the
    class of the largest. `docs/networks.md` describes the arithmetic.

    Class members
    -------------
    GRAPH : the layers. DIGEST : SHA-256 of the network's file.
    """

    GRAPH: ClassVar[Graph]
    DIGEST: ClassVar[str]
    CYCLES_FOLLOW_DATA = True
    UNROLL = ("engines", "lanes")
    SMALLER = "take fewer engines, a smaller network, or weights of fewer bits"
    RUN = "image"
    AHEAD = True
    ATTACHED = (r"phase_unit\.core_\d+", r"stochastic\.core")
    CASES = {
        "initial weights": {},
        "loaded weights": {"weights": "loaded"},
        "three engines": {"engines": 3},
    }

    lanes: int = integer(
        "outputs that are computed at once, a power of two", low=4, high=128, default=8
    )
    engines: int = integer(
        "engines side by side, which compute different images", low=1, high=ENGINES, default=1
    )
    weights: str = choice(
        "the weight memory's content: part of the bitstream, or loaded by a stream after reset",
        choices=("initial", "loaded"),
        default="initial",
    )
    content: str = choice("hash of the network's file, which is fixed", choices=(), default="")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lanes not in LANES:
            raise self.error("lanes", self.lanes, f"one of {', '.join(map(str, LANES))}")

    @property
    def inputs(self) -> dict[str, Port]:
        graph = self.GRAPH
        embedding = graph.embedding
        *size, channels = graph.image
        ports: dict[str, Port] = {
            INPUT: ImagePort(
                shape=(*size, channels - embedding.position),
                patch=embedding.patch,
                planes=graph.pixel_bits,
                position=embedding.position,
            )
        }
        return ports

    @property
    def loads(self) -> dict[str, tuple[Port, NDArray]]:
        if self.weights != "loaded":
            return {}
        item = UInt(CHUNK_BITS)
        port = Port(axes="ND", shape=self._chunks.shape, item=item, beat=(1, 1), closes="N")
        return {"weights": (port, self._chunks)}

    @cached_property
    def _chunks(self) -> NDArray:
        return self.program.weight_chunks()

    @property
    def outputs(self) -> dict[str, Port]:
        classes = self.GRAPH.classifier.outputs
        logit = SInt(self.GRAPH.bounds[self.GRAPH.classifier.name].current.bits)
        label = UInt(max(1, (classes - 1).bit_length()))
        return {
            "logits": Port(axes="C", shape=(classes,), item=logit, beat=(1,), closes="C"),
            "label": Port(axes="", shape=(), item=label, beat=(), closes=""),
        }

    @property
    def listings(self) -> dict[str, str]:
        return {"program.txt": self.program.listing(self.engines)}

    @property
    def memory_bits(self) -> int:
        return self.program.weight_memory_bits(self.engines)

    @property
    def at_once(self) -> int:
        return self.engines

    @cached_property
    def program(self) -> Program:
        """What the engine does: operations, memory contents, exact cycles."""
        from .engine import compile_network

        return compile_network(self.GRAPH, lanes=self.lanes, weights=self.weights)

    @cached_property
    def refusal(self) -> str:
        """Why the engine cannot run the network, which the golden model runs; empty if it can."""
        try:
            _ = self.program
        except InputError as error:
            return str(error)
        return ""

    def create(self) -> Component:
        return self.program.create(self.engines)

    def cycles(self, **operands: NDArray) -> int:
        if not operands:
            return self.program.cycles()
        return self.program.cycles(*self._spikes(operands[INPUT]))

    def sequence_cycles(self, images: NDArray) -> list[int]:
        """Cycles from the first start to the label of each of the images (B, Y, X, C), if they
        follow each other without a pause: `start` stays high, each image is present when its engine
        is free, and no output stalls. Exact."""
        from .engine.sequence import sequence_cycles

        times = [self.program.image_time(*self._spikes(image)) for image in images]
        return sequence_cycles(times, self.engines)

    def _spikes(self, image: NDArray) -> tuple[NDArray, dict[str, NDArray]]:
        """An image with its channel of positions, and the spikes of every layer."""
        image = golden.with_positions(self.GRAPH, image)
        result = golden.run(self.GRAPH, image[None], keep=True)
        return image, {name: x[0] for name, x in result.spikes.items()}

    def cycle_formula(self) -> str:
        from .engine.schedule import OUTSIDE

        layers = [f"{count} ({name})" for name, count in self.program.layer_cycles().items()]
        drawn = "; attention of form ssa takes the same for all" if self.program.heads else ""
        several = (
            f"; {self.engines} images are computed at once, so that one follows the other after "
            f"1 / {self.engines} of their mean"
            if self.engines > 1
            else ""
        )
        return (
            f"{OUTSIDE} + {' + '.join(layers)}; for an image and spikes that are all 1: each layer "
            "takes a cycle for each event and group of lanes outputs, and fewer the fewer they are"
            f"{drawn}{several}"
        )

    def preload_cycles(self) -> int:
        """A beat of several planes is written plane after plane."""
        image = self.program.image
        return image.rows * image.sent + 8

    def golden(self, **operands: NDArray) -> dict[str, Any]:
        result = golden.run(self.GRAPH, operands[INPUT][None])
        return {"logits": result.logits[0], "label": result.labels[0]}

    def work(self, densities: Mapping[str, float] | None = None, **operands: NDArray) -> Work:
        """The work of an image: of the given one, or of a random one with a density of ones."""
        shares = self.densities_or_typical(densities)
        images = operands or self.operands_with(shares, np.random.default_rng(0))
        additions = golden.run(self.GRAPH, images[INPUT][None]).additions
        return work(self.GRAPH, {layer: float(x[0]) for layer, x in additions.items()})

    def examples(self) -> list[dict[str, NDArray]]:
        rng = np.random.default_rng(0)
        return [self.random_operands(rng) for _ in range(EXAMPLES)]

    def describe(self) -> str:
        several = f", {self.engines} engines" if self.engines > 1 else ""
        return f"{self.SUMMARY}; {self.lanes} lanes{several}"

    def golden_bytes(self) -> float:
        return golden.image_bytes(self.GRAPH)

    def reference(self, folder: Path) -> str:
        path = folder / f"{self.NAME}{file.SUFFIX}"
        file.save(path, self.GRAPH)
        return str(path)

    def __reduce__(self) -> tuple:
        """For other processes, which create the class of the network again."""
        return _restore, (self.DIGEST, self.GRAPH, self.as_dict())


_cores: dict[str, type[Network]] = {}  # by digest of the graph


def network_core(graph: Graph) -> type[Network]:
    """The core of a network: the same class for the same file."""
    return _core(file.digest(graph), graph)


def _core(digest: str, graph: Graph) -> type[Network]:
    if digest not in _cores:
        content = choice(
            "hash of the network's file, which is fixed",
            choices=(digest[:SHORT],),
            default=digest[:SHORT],
        )
        members = {
            "NAME": graph.name,
            "SUMMARY": _summary(graph),
            "SOURCE": graph.description,
            "GRAPH": graph,
            "DIGEST": digest,
            "PRESETS": presets(graph),
            "__module__": __name__,
        }
        _cores[digest] = make_dataclass(
            "Network",
            [("content", str, content)],
            bases=(Network,),
            namespace=members,
            frozen=True,
            kw_only=True,
        )
    return _cores[digest]


def networks() -> list[type[Network]]:
    """The networks that this process has read."""
    return list(_cores.values())


def _summary(graph: Graph) -> str:
    """A network in one line."""
    height, width, channels = graph.image
    return (
        f"network: {height} x {width} x {channels} image, {graph.tokens} tokens, "
        f"T = {graph.steps}, {len(graph.layers)} layers, {graph.weights:,} weights, "
        f"{len(graph.classes)} classes"
    )


def _restore(digest: str, graph: Graph, settings: Mapping[str, Any]) -> Network:
    return _core(digest, graph).from_settings(settings)
