"""The `a2os2a` core among its neurons: pre-activations in, spikes out, over T time steps."""

from amaranth.hdl import Cat, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...blocks.control import control_members, control_of
from ...blocks.framed_input import FramedInput
from ...blocks.row_gatherer import RowGatherer
from ...blocks.run_control import RunControl
from ...neurons import ReLUQuantiser, SpikingNeurons
from .a2os2a import A2OS2A
from .operands import beat


class A2OS2ABlock(wiring.Component):
    """Spiking self-attention from pre-activations, T time steps in a run::

        Q = binary neurons(q)    K = ReLU(k)    V = ternary neurons(v)
        o = binary neurons((Q K^T) V)

    Every neuron keeps its potential from one step to the next and starts from zero with a run.

    Parameters
    ----------
    config : A2OS2ABlockConfig.

    Members
    -------
    start, seed, busy, done, misframed : as for `A2OS2A`.
    k_saturated : Out(32), values of K cut off at the top since reset.
    q, k, v : In(stream of {data: `lanes` signed pre-activations side by side, last}), a token in
        D / lanes (q, k) or Dv / lanes (v) beats, N tokens a step.
    o : Out(stream of {data: `lanes` spikes, last}), Dv / lanes beats per token.

    Source: Guo et al., "Spiking Transformer: Introducing Accurate Addition-Only Spiking
    Self-Attention for Transformer", arXiv 2503.00226.
    """

    def __init__(self, config):
        self.config = config
        inputs = stream.Signature(beat(config.lanes * config.input_bits))
        super().__init__(
            {
                **control_members(),
                "misframed": Out(1),
                "k_saturated": Out(32),
                **{name: In(inputs) for name in "qkv"},
                "o": Out(stream.Signature(beat(config.lanes))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config

        m.submodules.attention = attention = A2OS2A(config)

        # A `last` that comes where no time step ends is told at once.
        operands, misframed = {}, []
        for name, per_token in (("q", config.chunks), ("k", config.chunks), ("v", config.groups)):
            port = getattr(self, name)
            m.submodules[f"{name}_framed"] = framed = FramedInput(
                port.payload.shape(), beat=config.tokens * per_token
            )
            connect(m, flipped(port), framed.i)
            operands[name] = framed.o
            misframed.append(framed.misframed & port.ready)
        with m.If(Cat(misframed).any()):
            m.d.sync += self.misframed.eq(1)

        # Q and V: spikes of a token gather to the beat the core takes.
        for name, chunks in (("q", config.chunks), ("v", config.groups)):
            spiking = SpikingNeurons(config.neurons(name))
            gatherer = RowGatherer(len(spiking.o.payload.data), chunks)
            m.submodules[f"{name}_neurons"] = spiking
            m.submodules[f"{name}_tokens"] = gatherer
            connect(m, operands[name], spiking.i)
            connect(m, spiking.o, gatherer.i)
            connect(m, gatherer.o, getattr(attention, name))

        m.submodules.k_relu = relu = ReLUQuantiser(
            config.lanes, input_bits=config.input_bits, bits=config.k_bits, shift=config.k_shift
        )
        connect(m, operands["k"], relu.i)
        connect(m, relu.o, attention.k)

        m.submodules.o_neurons = spiking = SpikingNeurons(config.neurons("o"))
        connect(m, attention.o, spiking.i)
        connect(m, spiking.o, flipped(self.o))

        # A run is over with the spikes of its last token, some clocks after the core's last sum.
        m.submodules.run_control = run_control = RunControl(config.steps)
        connect(m, control_of(self), run_control.control)
        m.d.comb += [
            attention.start.eq(run_control.begin),
            self.k_saturated.eq(relu.saturated),
            run_control.last.eq(self.o.valid & self.o.ready & self.o.payload.last),
        ]

        return m
