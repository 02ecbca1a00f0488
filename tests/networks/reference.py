"""A slow model of networks, written from the equations alone: one image, plain loops."""

import math

import numpy as np


def lif(current, neuron, offsets=None):
    """Spikes (T, N, D) of currents (T, N, D), one neuron after the other, in floating point."""
    offsets = [0] * current.shape[2] if offsets is None else offsets
    spikes = np.zeros(current.shape, int)
    if neuron.kind == "none":
        return current
    if neuron.kind == "relu":
        for at in np.ndindex(current.shape):
            while spikes[at] < 2**neuron.bits - 1 and current[at] >= neuron.threshold * (
                spikes[at] + 1
            ):
                spikes[at] += 1
        return spikes
    for n, d in np.ndindex(current.shape[1:]):
        kept, threshold = 0.0, neuron.threshold + float(offsets[d])
        for t in range(len(current)):
            v = math.floor(kept / 2.0**neuron.leak) + float(current[t, n, d])
            kept = v
            if v >= threshold:
                spikes[t, n, d] = 1
                kept = 0.0 if neuron.reset == "hard" else v - threshold
            if neuron.kind == "ternary" and v <= -neuron.threshold:
                spikes[t, n, d] = -1
                kept = 0.0 if neuron.reset == "hard" else v + neuron.threshold
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


def convolution(layer, grid):
    """Sums (T, N, out) of a grid (T, Y, X, C), place by place of the kernel."""
    (height, width), (top, left) = layer.kernel, layer.padding
    rows = (grid.shape[1] + 2 * top - height) // layer.stride[0] + 1
    columns = (grid.shape[2] + 2 * left - width) // layer.stride[1] + 1
    weight = layer.weight.astype(int).reshape(height, width, grid.shape[3], -1)
    sums = np.zeros((len(grid), rows, columns, weight.shape[3]), int) + layer.bias
    for y, x, i, j in np.ndindex(rows, columns, height, width):
        at = y * layer.stride[0] + i - top, x * layer.stride[1] + j - left
        if 0 <= at[0] < grid.shape[1] and 0 <= at[1] < grid.shape[2]:
            sums[:, y, x] += grid[:, at[0], at[1]] @ weight[i, j]
    return sums.reshape(len(grid), rows * columns, -1)


def pooling(layer, grid):
    """The largest value or the sum (T, N, C) of each window of a grid (T, Y, X, C)."""
    (height, width), (top, left) = layer.kernel, layer.padding
    rows = (grid.shape[1] + 2 * top - height) // layer.stride[0] + 1
    columns = (grid.shape[2] + 2 * left - width) // layer.stride[1] + 1
    out = []
    for y, x in np.ndindex(rows, columns):
        first = y * layer.stride[0] - top, x * layer.stride[1] - left
        window = grid[:, max(0, first[0]) : first[0] + height, max(0, first[1]) : first[1] + width]
        out.append(window.max((1, 2)) if layer.form == "max" else window.sum((1, 2)))
    return np.stack(out, axis=1)


def spike_driven(layer, q, k, v):
    """Spikes (T, N, D), dimension by dimension."""
    out = np.zeros(q.shape, int)
    for d in range(q.shape[2]):
        counts = [[[sum(k[t, :, d] * v[t, :, d])]] for t in range(len(q))]
        passed = lif(np.array(counts), layer.neuron)
        for t, n in np.ndindex(q.shape[:2]):
            out[t, n, d] = q[t, n, d] if passed[t, 0, 0] else 0
    return out


def on_grid(graph, layer, spikes):
    """Spikes (T, N, D) of a layer's input as (T, Y, X, D)."""
    return spikes.reshape(len(spikes), *graph.signals[layer.inputs[0]].grid, -1)


def run(graph, image):
    """The output of every layer by name: spikes (T, N, D), logits (classes,)."""
    values = {}
    for layer in graph.layers:
        offsets = getattr(layer, "threshold_offsets", None)
        given = [values[name] for name in layer.inputs if name != "image"]
        if layer.KIND == "patch_embedding":
            current = embedding(layer, image, graph.steps, graph.pixel_bits)
            value = lif(current, layer.neuron, offsets)
        elif layer.KIND == "convolution" and not given:
            pixels = image.astype(int) // 2 ** (8 - graph.pixel_bits)
            current = convolution(layer, pixels[None])
            value = lif(np.repeat(current, graph.steps, axis=0), layer.neuron, offsets)
        elif layer.KIND == "convolution":
            current = convolution(layer, on_grid(graph, layer, given[0]))
            value = lif(current, layer.neuron, offsets)
        elif layer.KIND == "pooling":
            value = pooling(layer, on_grid(graph, layer, given[0]))
        elif layer.KIND == "linear":
            weight = layer.weight.astype(np.int64)
            current = np.einsum("tni,io->tno", given[0], weight) + layer.bias
            value = lif(current, layer.neuron, offsets)
        elif layer.KIND == "attention" and layer.form == "spike-driven":
            value = spike_driven(layer, *given)
        elif layer.KIND == "attention":
            value = lif(attention(layer, *given), layer.neuron)
        elif layer.KIND == "neurons":
            value = lif(given[0], layer.neuron)
        elif layer.KIND == "residual" and layer.form == "iand":
            value = np.where(given[1] == 1, 0, given[0])
        elif layer.KIND == "residual":
            value = sum(given)
        else:
            value = np.einsum("tni,io->o", given[0], layer.weight.astype(np.int64)) + layer.bias
        values[layer.name] = value
    return values
