"""A slow model of networks, written from the equations alone: one image, plain loops."""

import math

import numpy as np


def lif(current, neuron):
    """Spikes (T, N, D) of currents (T, N, D), one neuron after the other, in floating point."""
    spikes = np.zeros(current.shape, int)
    for n, d in np.ndindex(current.shape[1:]):
        kept = 0.0
        for t in range(len(current)):
            v = math.floor(kept / 2.0**neuron.leak) + float(current[t, n, d])
            kept = v
            if v >= neuron.threshold:
                spikes[t, n, d] = 1
                kept = 0.0 if neuron.reset == "hard" else v - neuron.threshold
    return spikes


def embedding(layer, image, steps, pixel_bits):
    """Currents (T, N, D), pixel by pixel."""
    rows, columns, channels = image.shape
    height, width = layer.patch
    current = []
    for top in range(0, rows, height):
        for left in range(0, columns, width):
            sums = [int(b) for b in layer.bias]
            i = 0
            for y in range(top, top + height):
                for x in range(left, left + width):
                    for c in range(channels):
                        pixel = int(image[y, x, c]) // 2 ** (8 - pixel_bits)
                        for o in range(len(sums)):
                            sums[o] += pixel * int(layer.weight[i, o])
                        i += 1
            current.append(sums)
    return np.array([current] * steps)


def attention(layer, q, k, v):
    """Currents (T, N, Dv) in the order (Q K^T) V, head by head."""
    heads = []
    for q_h, k_h, v_h in zip(*(np.split(x, layer.heads, axis=2) for x in (q, k, v)), strict=True):
        scores = np.einsum("tnd,tmd->tnm", q_h, k_h)
        heads.append(np.einsum("tnm,tme->tne", scores, v_h))
    return np.concatenate(heads, axis=2)


def run(graph, image):
    """The output of every layer by name: spikes (T, N, D), logits (classes,)."""
    values = {}
    for layer in graph.layers:
        given = [values[name] for name in layer.inputs if name != "image"]
        if layer.KIND == "patch_embedding":
            current = embedding(layer, image, graph.steps, graph.pixel_bits)
            value = lif(current, layer.neuron)
        elif layer.KIND == "linear":
            weight = layer.weight.astype(np.int64)
            value = lif(np.einsum("tni,io->tno", given[0], weight) + layer.bias, layer.neuron)
        elif layer.KIND == "attention":
            value = lif(attention(layer, *given), layer.neuron)
        elif layer.KIND == "residual" and layer.form == "iand":
            value = np.where(given[1] == 1, 0, given[0])
        elif layer.KIND == "residual":
            value = sum(given)
        else:
            value = np.einsum("tni,io->o", given[0], layer.weight.astype(np.int64)) + layer.bias
        values[layer.name] = value
    return values
