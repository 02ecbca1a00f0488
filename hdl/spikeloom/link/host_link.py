"""The device side of the link: receives requests, controls the core and sends answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Const, Module, ResetInserter, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..blocks.component import Component
from ..errors import InputError
from .answer_writer import AnswerWriter
from .chunk_buffer import SHARED, ChunkBuffer, ChunkMemory
from .frame_receiver import FrameReceiver
from .frame_sender import FrameSender
from .protocol import (
    CYCLE_BYTES,
    LAST,
    MAX_PAYLOAD,
    MAX_STREAMS,
    SEED_BYTES,
    Code,
    Command,
    State,
    bytes_of,
    status_bytes,
)
from .request_reader import RequestReader
from .result_buffer import ResultBuffer
from .uart import UartReceiver, UartTransmitter

if TYPE_CHECKING:
    from .identity import Identity


class HostLink(Component):
    """Serves one core over a UART; ``docs/link.md`` specifies the protocol.

    Every request is checked before it is executed, no answer depends on the progress of the core,
    and a frame that arrives during an answer is dropped. No sequence of bytes can therefore block
    the link.

    Members
    -------
    rx, tx : In(1), Out(1), the line.
    session : Out(1), a host has identified the device.
    reset : Out(1), reset the core.
    start : Out(1), seed : Out(64), busy : In(1), connect to the core; one that draws nothing at
        random has no seed.
    preloaded : In(1), only if the core loads streams: it has them, and not from the link.
    flag_NAME : In, flag NAME of the core.
    o_NAME : Out(stream), to input stream NAME of the core.
    i_NAME : In(stream), from output stream NAME of the core.

    Parameters
    ----------
    identity : `Identity` of the device.
    divisor : cycles per bit of the UART.
    """

    def __init__(self, identity: Identity, divisor: int) -> None:
        if len(identity.inputs) > MAX_STREAMS:
            raise InputError(
                f"{identity.config.NAME} has {len(identity.inputs)} input streams; the host link "
                f"serves at most {MAX_STREAMS}"
            )
        self._inputs = identity.inputs
        self._outputs = identity.outputs
        self._loads = identity.loads
        self._flags = identity.flags
        self._identity = identity.to_bytes()
        self._divisor = divisor
        super().__init__(
            {
                "rx": In(1, init=1),  # pyright: ignore[reportCallIssue]
                "tx": Out(1, init=1),  # pyright: ignore[reportCallIssue]
                "session": Out(1),
                "reset": Out(1),
                "start": Out(1),
                "seed": Out(8 * SEED_BYTES),
                "busy": In(1),
                **({"preloaded": In(1)} if self._loads else {}),
                **{f"flag_{name}": In(bits) for name, bits in self._flags.items()},
                **{f"o_{name}": Out(_beats(bits)) for name, bits in self._inputs.items()},
                **{f"i_{name}": In(_beats(bits)) for name, bits in self._outputs.items()},
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.submodules.request = request = RequestReader()
        longest = max(MAX_PAYLOAD, len(self._identity))
        m.submodules.answer = answer = AnswerWriter(longest)
        self._line(m, request, answer)
        buffer = ResultBuffer(list(self._outputs.values()))
        m.submodules.results = results = ResetInserter(self.reset)(buffer)
        for number, name in enumerate(self._outputs):
            wiring.connect(m, wiring.flipped(getattr(self, f"i_{name}")), results.i[number])

        # A request is evaluated when its frame is valid. A request with the expected sequence
        # number is executed; a repetition of the latest one is only answered again. The fields of
        # the latest request are kept for that, and because the next frame may arrive before the
        # answer is sent.
        sequence, command, argument = Signal(8), Signal(8), Signal(8)
        act = Signal()
        fits = self._buffers(m, request, answer, act)
        loaded = self._loaded(m, answer)
        self._payload(m, answer, results, command, argument)
        m.d.sync += [
            self.start.eq(act & (_number(command) == Command.START)),
            self.reset.eq(act & (_number(command) == Command.RESET)),
        ]

        # These registers are valid one cycle after the request: its fields arrived long before the
        # flag that ends the frame.
        code = Signal(Code)
        expected = Signal.like(sequence)
        follows, same, anew = Signal(), Signal(), Signal()
        m.d.sync += [
            code.eq(self._code(m, request, results, fits, loaded)),
            expected.eq(sequence + 1),
            follows.eq(request.sequence == expected),
            same.eq((request.sequence == sequence) & (request.command == command)),
            anew.eq(request.command == Command.IDENTIFY),
        ]
        fresh, repeated = Signal(), Signal()
        m.d.comb += [fresh.eq(anew | self.session & follows), repeated.eq(self.session & same)]
        m.d.comb += answer.sequence.eq(sequence)
        m.d.sync += act.eq(0)
        with m.FSM():
            with m.State("listen"), m.If(request.valid):
                m.next = "decide"
            with m.State("decide"):
                m.d.comb += answer.start.eq(1)
                m.d.sync += [sequence.eq(request.sequence), act.eq(fresh & (code == Code.OK))]
                m.next = "answer"
                with m.If(fresh):
                    m.d.comb += results.release.eq(1)
                    m.d.sync += [
                        command.eq(request.command),
                        argument.eq(request.argument),
                        answer.code.eq(code),
                        self.session.eq(1),
                    ]
                with m.Else():
                    m.d.comb += results.rewind.eq(1)
                    with m.If(~repeated):
                        m.d.sync += [answer.code.eq(Code.SEQUENCE), self.session.eq(0)]
            with m.State("answer"), m.If(answer.idle):
                m.next = "listen"

        return m

    def _line(self, m, request, answer):
        """UART and framing, between the line and the requests and answers."""
        m.submodules.uart_in = uart_in = UartReceiver(self._divisor)
        m.submodules.receiver = receiver = FrameReceiver()
        m.submodules.sender = sender = FrameSender()
        m.submodules.uart_out = uart_out = UartTransmitter(self._divisor)
        wiring.connect(m, uart_in.o, receiver.i)
        wiring.connect(m, receiver.o, request.i)
        wiring.connect(m, answer.o, sender.i)
        wiring.connect(m, sender.o, uart_out.i)
        m.d.comb += [
            uart_in.rx.eq(self.rx),
            self.tx.eq(uart_out.tx),
            receiver.framing_error.eq(uart_in.framing_error),
            request.ended.eq(receiver.ended),
            request.good.eq(receiver.good),
        ]

    def _buffers(self, m, request, answer, act):
        """A buffer for each input stream and the seed register, written while a request is
        received.

        Returns whether the buffer addressed by the current request had room when the request began.
        """
        fits = Signal()
        stream_number = request.argument[: (MAX_STREAMS - 1).bit_length()]
        last = request.argument[LAST.bit_length() - 1]
        rooms = Signal(MAX_STREAMS)
        memories = []
        for number in range(-(-len(self._inputs) // SHARED)):
            m.submodules[f"chunks_{number}"] = memory = ChunkMemory()
            m.d.comb += [memory.w_addr.eq(request.index), memory.w_data.eq(request.data)]
            memories.append(memory)
        for number, (name, bits) in enumerate(self._inputs.items()):
            buffer = ResetInserter(self.reset)(ChunkBuffer(bits))
            m.submodules[f"buffer_{name}"] = buffer
            memory, half = memories[number // SHARED], number % SHARED
            chosen = Signal(name=f"chosen_{name}")  # valid before the first payload byte
            m.d.sync += chosen.eq((request.command == Command.WRITE) & (stream_number == number))
            m.d.comb += [
                rooms[number].eq(buffer.room),
                memory.w_en[half].eq(request.step & fits & chosen & (request.index < MAX_PAYLOAD)),
                getattr(memory, f"r_addr_{half}").eq(buffer.r_addr),
                buffer.r_data.eq(memory.r_data),
                buffer.turn.eq(memory.turn[half]),
                buffer.accept.eq(act & chosen),
                buffer.length.eq(request.length),
                buffer.last.eq(last),
            ]
            wiring.connect(m, buffer.o, wiring.flipped(getattr(self, f"o_{name}")))
        with m.If(request.admit):
            m.d.sync += fits.eq(rooms.bit_select(stream_number, 1))

        with m.If(request.step & (request.index < SEED_BYTES)):
            m.d.sync += self.seed.eq(Cat(self.seed, request.data)[8:])
        m.d.sync += answer.state.eq(Cat(rooms, self.busy))
        return fits

    def _loaded(self, m, answer):
        """Whether the core has taken all of every stream that it keeps, and none was misframed."""
        if not self._loads:
            return Const(1)
        kept = Signal(len(self._loads))
        for number, name in enumerate(self._loads):
            beats = getattr(self, f"o_{name}")
            with m.If(beats.valid & beats.ready):
                m.d.sync += kept[number].eq(beats.payload.last)
        with m.If(self.flag_misframed):
            m.d.sync += kept.eq(0)
        loaded = Signal()
        m.d.sync += loaded.eq(kept.all() | self.preloaded)
        m.d.sync += answer.state[State.LOADED.bit_length() - 1].eq(loaded)
        return loaded

    def _code(self, m, request, results, fits, loaded):
        """Status code of the current request, assuming its sequence number is expected."""
        empty, of_seed, no_stream, no_result = Signal(), Signal(), Signal(), Signal()
        m.d.sync += [
            empty.eq(request.length == 0),
            of_seed.eq(request.length == SEED_BYTES),
            no_stream.eq((request.argument & ~LAST) >= len(self._inputs)),
            no_result.eq(results.available <= request.argument),
        ]
        code = Signal(Code)
        m.d.comb += code.eq(Code.OK)
        with m.Switch(request.command):
            with m.Case(Command.IDENTIFY, Command.RESET, Command.STATUS), m.If(~empty):
                m.d.comb += code.eq(Code.LENGTH)
            with m.Case(Command.WRITE):
                with m.If(no_stream):
                    m.d.comb += code.eq(Code.UNKNOWN)
                with m.Elif(empty | request.oversized):
                    m.d.comb += code.eq(Code.LENGTH)
                with m.Elif(~fits):
                    m.d.comb += code.eq(Code.BUSY)
            with m.Case(Command.START):
                with m.If(~of_seed):
                    m.d.comb += code.eq(Code.LENGTH)
                with m.Elif(self.busy | ~loaded):
                    m.d.comb += code.eq(Code.BUSY)
            with m.Case(Command.READ):
                with m.If(~empty):
                    m.d.comb += code.eq(Code.LENGTH)
                with m.Elif(no_result):
                    m.d.comb += code.eq(Code.BUSY)
            with m.Default():
                m.d.comb += code.eq(Code.UNKNOWN)
        return code

    def _payload(self, m, answer, results, command, argument):
        """Selects the payload bytes of an answer and their number."""
        m.submodules.identity = identity = Memory(
            shape=8, depth=len(self._identity), init=self._identity
        )
        stored = identity.read_port()
        m.d.comb += stored.addr.eq(answer.index)

        # Cycles from start to the last output beat.
        cycles = Signal(8 * CYCLE_BYTES)
        running = Signal()
        m.d.sync += running.eq(self.busy)
        with m.If(running):
            m.d.sync += cycles.eq(cycles + 1)
        with m.Elif(self.start):
            m.d.sync += cycles.eq(0)

        # Each flag, padded to whole bytes, follows the cycle count.
        padded = [
            Signal(8 * bytes_of(bits), name=f"{name}_bytes") for name, bits in self._flags.items()
        ]
        m.d.comb += [
            whole.eq(getattr(self, f"flag_{name}"))
            for whole, name in zip(padded, self._flags, strict=True)
        ]
        status = Cat(cycles, *padded)
        last = status_bytes(self._flags) - 1

        no_payload = Signal()
        final, byte = Signal.like(answer.final), Signal(8)
        with m.Switch(_number(command)):
            with m.Case(Command.IDENTIFY):
                m.d.comb += [final.eq(len(self._identity) - 1), byte.eq(stored.data)]
            with m.Case(Command.STATUS):
                m.d.comb += final.eq(last)
                m.d.comb += byte.eq(status.word_select(answer.index[: last.bit_length()], 8))
            with m.Case(Command.READ):
                m.d.comb += [final.eq(argument), byte.eq(results.data)]
                m.d.comb += results.step.eq(answer.step)
            with m.Default():
                m.d.comb += no_payload.eq(1)
        # The UART is slow enough for these registers.
        m.d.sync += [
            answer.no_payload.eq(no_payload | (answer.code != Code.OK)),
            answer.final.eq(final),
            answer.data.eq(byte),
        ]


def _number(command):
    """The low bits of a command, which distinguish all valid commands."""
    return command[: max(Command).bit_length()]


def _beats(bits):
    return stream.Signature(data.StructLayout({"data": bits, "last": 1}))
