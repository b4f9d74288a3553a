"""Drawn models: what is in the drawing, that nothing overlaps, and that the files are what they say."""

from __future__ import annotations

import io
import itertools
import re
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import nn

import neocog as keras
from neocog import layers
from neocog.exceptions import ArgumentError, ArgumentTypeError, NotBuiltError
from neocog.models._diagram._boxes import Show, group_of
from neocog.models._diagram._image import measure
from neocog.models._diagram._picture import Arrow, Rectangle, Words, picture_of
from neocog.models._diagram._placing import crossings, place, rank, uncross, without_cycles
from neocog.utils import model_to_dot, plot_model


def branched():
    """Two inputs, two outputs, branches, a function, an inner model called twice, a stack, a shared layer."""
    image, numbers = layers.Input((8, 8, 1), name="image"), layers.Input((5,), name="numbers")
    left = layers.Conv2D(2, 3, activation="relu", name="left")(image)
    right = layers.Conv2D(2, 3, name="right")(image)
    both = layers.Concatenate(name="both")([layers.Add(name="sum")([left, right]), left])
    flat = layers.GlobalAveragePooling2D(name="flat")(both)
    shared = layers.Dense(4, name="shared")
    joined = layers.Concatenate(name="joined")([shared(shared(layers.Dense(4, name="first")(numbers))), flat])
    source = layers.Input((8,), name="inner_input")
    inner = keras.Model(
        source, layers.Add(name="plus")([source, layers.Dense(8, name="inner")(source)]), name="block"
    )
    deep = inner(inner(joined * 2.0))
    stack = keras.Sequential([layers.Input((8,)), layers.Dense(3, name="low"), nn.Sigmoid()], name="stack")
    return keras.Model([image, numbers], [stack(deep), layers.Dense(1, name="score")(deep)], name="net")


def names(model, **show) -> list[str]:
    return [
        "".join(piece for piece, _ in box.rows[0][0].text) for box in group_of(model, Show(**show)).boxes()
    ]


def edges(model, **show) -> set[tuple[str, str]]:
    dot = model_to_dot(model, show_layer_names=True, **show)
    named = {id(box): box.rows[0][0].text[0][0] for box in dot.get_nodes()}
    return {(named[id(a)], named[id(b)]) for a, b in dot.get_edges()}


def test_what_is_drawn():
    model = branched()
    assert names(model)[0] in ("image (InputLayer)", "numbers (InputLayer)")
    assert "mul (Multiply)" in names(model)
    assert len(names(model)) == len(model.layers) + 1  # the multiplication is no layer of ours
    assert {("left", "sum"), ("left", "both"), ("first", "shared"), ("shared", "shared")} <= edges(model)
    assert {("block", "block"), ("block", "stack"), ("block", "score")} <= edges(model)
    opened = edges(model, expand_nested=True)
    assert {("mul", "inner_input"), ("plus", "inner_input"), ("plus", "low"), ("plus", "score")} <= opened
    assert ("low", "Sigmoid") in opened
    assert "block" not in {name for pair in opened for name in pair}


def test_rows_of_a_box():
    model = branched()
    model.get_layer("left").trainable = False
    dot = model_to_dot(
        model, show_shapes=True, show_dtype=True, show_layer_activations=True, show_trainable=True
    )
    text = dot.to_string()
    assert "Input shape: <b>(None, 8, 8, 1)</b>" in text
    assert "Input shape: <b>[(None, 6, 6, 2), (None, 6, 6, 2)]</b>" in text
    assert "Activation: <b>relu</b>" in text
    assert "Output dtype: <b>float32</b>" in text
    assert text.count("<b>Non-trainable</b>") == 1
    assert "<b>image</b> (InputLayer)" in text
    plain = model_to_dot(model, show_layer_names=False).source
    assert "image" not in plain
    assert "<b>InputLayer</b>" in plain
    assert text.count(" -> ") == len(dot.get_edges())
    assert text.count("{") == text.count("}")


def test_names_are_escaped():
    model = keras.Sequential([layers.Input((2,)), layers.Dense(1, name='a<b>&"c"')], name='m"x')
    for text in (model_to_dot(model).to_string(), model_to_dot(model, subgraph=True).to_string()):
        assert "a&lt;b&gt;&amp;" in text
    assert model_to_dot(model, subgraph=True).source.startswith('subgraph "cluster_m\\"x" {')
    ElementTree.fromstring(model_to_dot(model).create(format="svg"))


@pytest.mark.parametrize("direction", ["TB", "BT", "LR", "RL"])
@pytest.mark.parametrize("opened", [False, True])
def test_nothing_overlaps_and_arrows_follow_the_direction(direction, opened):
    picture = picture_of(group_of(branched(), Show(shapes=True, expand_nested=opened)), direction, measure)
    cells = [part for part in picture.parts if isinstance(part, Rectangle) and not part.dashed]
    for a, b in itertools.combinations(cells, 2):
        apart = (
            a.x + a.width <= b.x + 1e-6
            or b.x + b.width <= a.x + 1e-6
            or a.y + a.height <= b.y + 1e-6
            or b.y + b.height <= a.y + 1e-6
        )
        assert apart, (a, b)
    axis, sign = {"TB": (1, 1), "BT": (1, -1), "LR": (0, 1), "RL": (0, -1)}[direction]
    arrows = [part for part in picture.parts if isinstance(part, Arrow)]
    onward = [sign * (arrow.points[-1][axis] - arrow.points[0][axis]) > 0 for arrow in arrows]
    assert onward.count(False) <= 2  # the lines of what is called on its own result
    for part in picture.parts:
        points = part.points if isinstance(part, Arrow) else [(part.x, part.y)]
        assert all(0 <= x <= picture.width and 0 <= y <= picture.height for x, y in points)
        if isinstance(part, Words):
            assert part.x + sum(measure(t, part.size, b) for t, b, _ in part.pieces) <= picture.width


def graphs(count: int):
    box = st.integers(0, count - 1)
    return st.tuples(st.just(count), st.sets(st.tuples(box, box), max_size=20))


EDGES = st.integers(2, 9).flatmap(graphs)


@given(EDGES)
def test_any_graph_is_placed(graph):
    count, pairs = graph
    given_edges = sorted((a, b) for a, b in pairs if a != b)
    forward = without_cycles(count, given_edges)
    turned = [edge if on else edge[::-1] for edge, on in zip(given_edges, forward)]
    ranks = rank(count, turned)
    assert all(ranks[a] < ranks[b] for a, b in turned)
    sizes = [(20.0 + 7 * i, 10.0 + i) for i in range(count)]
    placed = place(sizes, turned)
    boxes = [(x - w / 2, y - h / 2, w, h) for (x, y), (w, h) in zip(placed.centres, sizes)]
    for (ax, ay, aw, ah), (bx, by, bw, bh) in itertools.combinations(boxes, 2):
        assert ax + aw <= bx + 1e-6 or bx + bw <= ax + 1e-6 or ay + ah <= by + 1e-6 or by + bh <= ay + 1e-6
    assert all(x >= -1e-6 and x + w <= placed.width + 1e-6 for x, _, w, _ in boxes)


def test_crossings_are_counted_and_removed():
    rows, below = [[0, 1], [2, 3]], {0: [3], 1: [2]}
    assert crossings(rows, below) == 1
    order = uncross(rows, [(0, 3), (1, 2)])
    assert crossings(order, below) == 0


def test_files(tmp_path):
    model = branched()
    for name, kind in (("a.png", "PNG"), ("a.jpg", "JPEG"), ("plain", "PNG"), ("deep/a.webp", "WEBP")):
        plot_model(model, tmp_path / name, dpi=40)
        with Image.open(tmp_path / name) as image:
            assert image.format == kind
            assert min(image.size) > 100
            assert len(image.convert("L").getcolors()) > 2
    small, large = (model_to_dot(model, dpi=dpi).create(format="png") for dpi in (40, 80))
    assert Image.open(io.BytesIO(large)).width / Image.open(io.BytesIO(small)).width == pytest.approx(2, 0.02)
    plot_model(model, tmp_path / "a.pdf", dpi=40)
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    plot_model(model, str(tmp_path / "a.svg"), show_layer_names=True, expand_nested=True)
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    words = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert {"image", "left", "inner", "block"} <= set(words)
    plot_model(model, tmp_path / "a.dot")
    assert re.match(r"digraph G \{", (tmp_path / "a.dot").read_text())
    dot = model_to_dot(model, rankdir="LR", dpi=40)
    assert dot.write(tmp_path / "raw.txt")
    assert (tmp_path / "raw.txt").read_text() == dot.source
    assert dot.create_svg().startswith(b"<svg")
    with pytest.raises(ArgumentError, match="a format among png"):
        plot_model(model, tmp_path / "a.exe")
    assert not (tmp_path / "a.exe").exists()


class Own(keras.Model):
    def __init__(self):
        super().__init__(name="own")
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(x)


def test_what_cannot_be_drawn():
    with pytest.raises(NotBuiltError, match="call build"):
        plot_model(keras.Sequential([layers.Dense(2)]))
    with pytest.raises(NotBuiltError, match="Own 'own'"):
        model_to_dot(Own())
    model = Own()
    model.build((None, 3))
    assert names(model) == ["own (Own)"]
    with pytest.raises(ArgumentTypeError, match="a model"):
        model_to_dot(layers.Dense(2))
    with pytest.raises(ArgumentTypeError, match="layer_range"):
        model_to_dot(model, layer_range=("a", "b"))
    with pytest.raises(ArgumentError, match="rankdir"):
        model_to_dot(model, rankdir="XY")


def test_large_models_keep_to_a_size():
    x = first = layers.Input((4,))
    for _ in range(120):
        x = layers.Add()([x, layers.Dense(4)(x)])
    data = model_to_dot(keras.Model(first, x), dpi=600).create(format="png")
    image = Image.open(io.BytesIO(data))
    assert image.width * image.height <= 61_000_000
