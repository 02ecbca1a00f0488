"""Datapath of `spiked`."""

from ...drawing import Drawing

PRODUCT = "trace product\nsteps add up, a table\ngives B⁻⁽ⁿ⁺ᵐ⁾,\nlanes add or subtract"


def head() -> Drawing:
    """Streams, event and lane memories, the two products, encoders and WOSS."""
    d = Drawing("spiked", 13.2, 4.2)
    kept = {
        "q": ("Q events\nspikes only", "q_events", 3.6),
        "k": ("K codes\nall lanes", "k_lanes", 2.6),
        "v": ("V events\n+ a line of ones", "v_events", 0.7),
    }
    for name, (text, memory, y) in kept.items():
        d.input(0.9, y, name, f"{name}_framed")
        d.box(2.6, y, "splitter", "logic", 1.2, 0.5, f"{name}_feed")
        d.box(4.4, y, f"{text}\n2 banks", "memory", 1.5, 0.8, memory)
        d.arrow((1.55, y), (1.95, y))
        d.arrow((3.25, y), (3.6, y))

    d.box(6.7, 3.1, PRODUCT, "logic", 1.9, 1.1, "scores")
    d.arrow((5.2, 3.6), (5.7, 3.3))
    d.arrow((5.2, 2.6), (5.7, 2.9))
    d.box(
        9.1,
        3.1,
        "phase encoders\nlogarithm, then\none threshold",
        "logic",
        1.5,
        0.9,
        "score_encoder_*",
    )
    d.arrow((7.7, 3.1), (8.3, 3.1), text="sums")
    d.box(11.3, 3.1, "WOSS\nwinner, shift,\nfalling threshold", "logic", 1.6, 0.9, "woss")
    d.arrow((9.9, 3.1), (10.45, 3.1), text="codes")
    d.box(6.7, 1.9, "probabilities\nall lanes, in banks", "memory", 1.8, 0.6, "p_lanes")
    d.arrow((11.3, 2.6), (11.3, 1.9), (7.65, 1.9), text="codes")

    d.box(6.7, 0.7, PRODUCT, "logic", 1.9, 1.1, "outputs")
    d.arrow((6.7, 1.57), (6.7, 1.28))
    d.arrow((5.2, 0.7), (5.7, 0.7))
    d.box(9.1, 0.7, "output encoders\nlog |sum| - log z", "logic", 1.6, 0.8, "output_encoder")
    d.arrow((7.7, 0.7), (8.25, 0.7), text="z, sums")
    d.box(11.0, 0.7, "codes\nof a token", "memory", 1.2, 0.6, "o_lanes")
    d.arrow((9.95, 0.7), (10.35, 0.7))
    d.output(12.5, 0.7, "o", width=1.0)
    d.arrow((11.65, 0.7), (11.95, 0.7))
    d.leave_out("busy and done", "run_control")
    d.leave_out("counts the heads let in", "taken")
    d.leave_out("counts tokens, for last", "sent")
    return d
