"""The hardware of whole networks: one engine that runs a table of operations.

`compile_network` translates a graph to a `Program`; `Engine` is the component that runs it::

    image -> BitmapMemory -> RowReader -> Lister -> Replay -> Operands -> Lanes -> BitmapMemory
                                                                               -> LogitSender

A layer is one operation: for each token, the lister turns the bitmap of its inputs into a list of
events, one for each spike of every time step. The list is replayed once for each group of `lanes`
outputs. An event reads a row of weights, which the lanes add; the accumulator of a lane is also the
membrane of its neuron (`Lanes`). The outputs are bitmaps again. Meanwhile the next list is written.

- An attention is two operations for each head: learning the state K^T V, which lies in a memory of
  its own, and answering Q (K^T V) from it.
  Learning takes one more for each further bit of K. Form spike-driven is one of each for all heads,
  without events (`attention_operations`). For form ssa the core of that name is attached, which
  reads a head's rows of the bitmaps and writes its spikes back (`StochasticUnit`).
- The patch embedding reads bit planes of pixels, the highest first, and doubles the sum between
  them. The sum is the same in all time steps, so it is computed once.
- A convolution lists the events of a window of tokens, which the row reader gathers; an image
  arrives for it pixel by pixel. A pooling of spikes goes from one bitmap to the other (`Pooler`),
  and the sum of a window is listed by the layer that reads it.
- A residual is no operation: `iand` clears bits of the bitmap where it is, and the summands of
  `add` lie next to each other, so that later layers list the events of all of them.
- Layers without neurons store their sums (`Operands`), which other operations read, add, pool or
  turn into spikes (`current_operations`).
- Phase codes lie in a memory of their own (`CodeMemory`). The row reader turns them into the spikes
  of one step after the other, the last one first (`phase_operations`), and `CodeEncoder` encodes
  sums beside the lanes. For attention of form spiked cores of that name are attached (`PhaseUnit`).
- Weights that are wider than a word of a lane are two digits, whose events follow each other
  (`weight_format`).
- The classifier accumulates over all tokens and time steps.

An operation takes about ``groups * (events + fixed entries)`` cycles, and some 25 more:
`Program.cycles` is exact, `schedule` says how. Zeros cost nothing.
"""

from .compiler import compile_network
from .program import Program

__all__ = ["Program", "compile_network"]
