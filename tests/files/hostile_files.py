"""Hostile model files, made by hand: a name, the bytes, how it is opened, what the refusal must say."""

from __future__ import annotations

import base64
import io
import json
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from hostile_parts import (
    Case,
    Config,
    code,
    dense,
    everywhere,
    h5_file,
    keras_file,
    layer,
    sequential,
    weights,
)


class Trap:
    """Unpickling it would write the canary."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> Any:
        return (Path.touch, (self.canary,))


def gadgets(canary: Path) -> Iterator[Case]:
    """Configurations that name what they should not: one for each published attack by configuration."""
    raw = code(canary)
    new = {"class_name": "__lambda__", "config": {"code": raw, "defaults": None, "closure": None}}
    yield from everywhere(
        "cve_2024_3660", sequential(layer("Lambda", {"name": "x", "function": new})), "code"
    )
    old = layer(
        "Lambda", {"name": "x", "function": [raw, None, None], "function_type": "lambda", "module": "m"}
    )
    yield from everywhere("cve_2024_3660_old_form", sequential(old), "code")
    shape = layer("Lambda", {"name": "x", "function": "relu", "output_shape": new})
    yield from everywhere("lambda_in_output_shape", sequential(shape), "code")
    for module, name in (
        ("os", "system"),
        ("subprocess", "Popen"),
        ("builtins", "eval"),
        ("importlib", "import_module"),
    ):
        config = layer(name, {"args": [f"touch {canary}"]}, module)
        yield from everywhere(f"cve_2025_1550_{module}", sequential(config), "expected")
        as_function = {"module": module, "class_name": "function", "config": name, "registered_name": name}
        put = layer(
            "Lambda", {"name": "x", "function": as_function, "arguments": {"command": f"touch {canary}"}}
        )
        yield from everywhere(f"cve_2025_1550_{module}_function", sequential(put), "expected")
    address = {"origin": "http://127.0.0.1:9/x", "fname": "x"}
    for name in ("get_file", "load_model", "load_img", "save_img"):
        config = {"module": "keras.utils", "class_name": "function", "config": name, "registered_name": name}
        put = layer("Lambda", {"name": "x", "function": config, "arguments": address})
        yield from everywhere(f"cve_2025_8747_{name}", sequential(put), name)
        yield from everywhere(f"cve_2025_8747_{name}_activation", sequential(dense(activation=config)), name)
    switch = layer("enable_unsafe_deserialization", {}, "keras.config")
    yield from everywhere("cve_2025_9906", sequential(switch, dense()), "enable_unsafe_deserialization")
    inside = {**sequential(layer("Lambda", {"name": "x", "function": new})), "safe_mode": False}
    inside["config"]["safe_mode"] = False
    yield from everywhere("cve_2025_9905_safe_mode_in_the_file", inside, "code")
    embedded = base64.b64encode(pickle.dumps(Trap(canary))).decode()
    torch_layer = layer(
        "TorchModuleWrapper", {"name": "t", "module": {"class_name": "__bytes__", "config": embedded}}
    )
    yield from everywhere("cve_2025_49655", sequential(torch_layer), "expected")
    saved = layer("TFSMLayer", {"name": "t", "filepath": str(canary.parent), "call_endpoint": "serve"})
    yield from everywhere("cve_2026_1462", sequential(saved), "TFSMLayer")
    for value in ("/etc/passwd", "http://127.0.0.1:9/vocabulary.txt", "file:///etc/passwd"):
        lookup = layer("StringLookup", {"name": "s", "vocabulary": value})
        yield from everywhere(f"cve_2025_12058_{value[:4].strip('/')}", sequential(lookup), "vocabulary")
    vector = layer("TextVectorization", {"name": "s", "vocabulary": "/etc/passwd"})
    yield from everywhere("cve_2025_12058_text", sequential(vector), "vocabulary")
    spoof = layer("system", {"command": f"touch {canary}"}, "os", registered_name="Dense")
    yield from everywhere("spoofed_registered_name", sequential(spoof), "expected")
    spoof = layer("Dense", {"units": 2}, "os", registered_name="keras>Dense")
    yield from everywhere("spoofed_module", sequential(spoof), "expected")
    for name in ("../../escape", "/tmp/escape", "a/../../b", "C:\\escape", "..\\escape"):
        yield from everywhere(
            f"cve_2026_12479_{len(name)}", sequential(layer("Dense", {"units": 2, "name": name})), "name"
        )
    vocabulary = layer("StringLookup", {"name": "../../escape", "vocabulary": ["a"]})
    yield from everywhere("cve_2026_12479_assets", sequential(vocabulary), "name")


def sizes() -> Iterator[Case]:
    """Configurations that ask for memory or time."""
    too_large = "weights of|memory|64 bits|error while"
    yield from everywhere("units", sequential(dense(10**12)), too_large)
    yield from everywhere("units_of_30_digits", sequential(dense(10**30)), "64 bits")
    stored = keras_file(sequential(dense(10**7)))
    yield Case("more_weights_than_the_file", stored, ".keras", "load_model", "weights of")
    yield Case(
        "more_weights_than_the_file", h5_file(sequential(dense(10**7))), ".h5", "load_model", "weights of"
    )
    embedding = layer("Embedding", {"name": "e", "input_dim": 10**9, "output_dim": 10**4})
    yield from everywhere("embedding", sequential(embedding, shape=(None, 3)), too_large)
    kernel = layer("Conv2D", {"name": "c", "filters": 10**6, "kernel_size": [10**4, 10**4]})
    yield from everywhere("kernel", sequential(kernel, shape=(None, 10**5, 10**5, 3)), too_large)
    wide = sequential(layer("Flatten", {"name": "f"}), dense(), shape=(None, 10**6, 10**6, 10**6))
    yield from everywhere("input_shape", wide, too_large)
    many = sequential(*(layer("Dense", {"units": 1, "name": f"d{number}"}) for number in range(6_000)))
    yield from everywhere("many_layers", many, "at most 5000 layers")
    nested: Config = dense()
    for _ in range(60):
        nested = sequential(nested)
    yield Case("nested_models", json.dumps(nested).encode(), ".json", "model_from_json", "deep|nested")
    yield Case("nested_models", keras_file(nested), ".keras", "load_model", "deep|nested")


def graphs() -> Iterator[Case]:
    """Graphs that don't hold together."""

    def graph(**changes: Any) -> Config:
        start = layer(
            "InputLayer",
            {"batch_shape": [None, 4], "dtype": "float32", "name": "i"},
            name="i",
            inbound_nodes=[],
        )
        tensor = lambda name, node=0, index=0: {"class_name": "__keras_tensor__", "config": {  # noqa: E731
            "shape": [None, 4], "dtype": "float32", "keras_history": [name, node, index]}}  # fmt: skip
        steps = []
        for name, source in changes.get("calls", {"a": "i"}).items():
            given = tensor(*(source if isinstance(source, tuple) else (source,)))
            nodes = [{"args": [given], "kwargs": {}}]
            steps.append(layer("Dense", {"units": 4, "name": name}, name=name, inbound_nodes=nodes))
        config = {"name": "m", "trainable": True, "layers": [start, *steps]}
        config |= {"input_layers": changes.get("starts", [["i", 0, 0]])}
        config |= {"output_layers": changes.get("ends", [["a", 0, 0]])}
        return layer("Functional", config, "keras.src.models.functional")

    yield from everywhere("cycle", graph(calls={"a": "b", "b": "a"}), "expected|given by no layer")
    yield from everywhere("own_output", graph(calls={"a": "a"}), "expected|given by no layer")
    yield from everywhere("node_out_of_range", graph(calls={"a": ("i", 7, 0)}), "expected|given by no layer")
    yield from everywhere(
        "tensor_out_of_range", graph(calls={"a": ("i", 0, 10**9)}), "expected|given by no layer"
    )
    yield from everywhere("end_out_of_range", graph(ends=[["a", 3, 0]]), "expected|no layer|damaged")
    yield from everywhere("unknown_end", graph(ends=[["zzz", 0, 0]]), "expected|no layer|damaged")
    yield from everywhere("unknown_start", graph(starts=[["zzz", 0, 0]]), "expected|no layer|damaged")
    yield from everywhere("negative_index", graph(ends=[["a", -1, -1]]), "expected|no layer|damaged")


def texts() -> Iterator[Case]:
    """JSON that is not what it should be."""
    good = json.dumps(sequential(dense()))
    bad = {
        "deep": (b"[" * 100_000, "deep|JSON"),
        "deep_objects": (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "deep"),
        "long": (b'{"a": "' + b"x" * (17 * 2**20) + b'"}', "bytes"),
        "many_values": (b'{"a": [' + b"1," * 2_000_000 + b"1]}", "values"),
        "huge_number": (good.replace('"units": 2', '"units": ' + "9" * 4_000).encode(), "64 bits|expected"),
        "number_beyond_python": (good.replace('"units": 2', '"units": ' + "9" * 5_000).encode(), "JSON"),
        "nan": (good.replace('"units": 2', '"units": NaN').encode(), "NaN"),
        "infinity": (good.replace('"units": 2', '"units": Infinity').encode(), "expected"),
        "double_key": (good.replace('"units": 2', '"units": 2, "units": 3').encode(), "twice"),
        "half_character": (good.replace('"dense"', '"\\ud800"').encode(), "UTF-8"),
        "not_utf8": (good.encode("utf-16"), "JSON|UTF-8"),
        "a_list": (b"[1, 2]", "expected"),
        "nothing": (b"", "JSON"),
        "null_name": (good.replace('"name": "dense"', '"name": "\\u0000"').encode(), "name"),
    }
    for name, (text, says) in bad.items():
        yield Case(name, text, ".json", "model_from_json", says)
        yield Case(name, keras_file(text), ".keras", "load_model", says)
        if len(text) < 60_000 and name != "null_name":
            yield Case(name, h5_file(text), ".h5", "load_model", f"{says}|expected")


def zips(canary: Path) -> Iterator[Case]:
    """Zips that are more than a model."""
    good = sequential(dense())
    zeros = b"\0" * (300 * 2**20)
    packed = {"compression": zipfile.ZIP_DEFLATED}
    yield Case("zip_bomb", keras_file(good, zeros, **packed), ".keras", "load_model", "grow")
    yield Case(
        "zip_bomb_asset",
        keras_file(good, None, ("assets/a", zeros), **packed),
        ".keras",
        "load_model",
        "grow",
    )
    for name in (
        "../escape",
        "/tmp/escape",
        "assets/../../escape",
        "..\\escape",
        "C:/escape",
        "assets//tmp/escape",
    ):
        yield Case(
            f"member_{len(name)}", keras_file(good, None, (name, b"x")), ".keras", "load_model", "elsewhere"
        )
    yield Case(
        "other_member", keras_file(good, None, ("run.py", b"x")), ".keras", "load_model", "no members but"
    )
    yield Case("pickle_member", keras_file(good, None, ("model.pkl", pickle.dumps(Trap(canary)))), ".keras",
               "load_model", "no members but")  # fmt: skip
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield Case(
            "double", keras_file(good, None, ("config.json", b"{}")), ".keras", "load_model", "two members"
        )
    data = bytearray(keras_file(good))
    data[data.index(b"units") + 1] ^= 1
    yield Case("checksum", bytes(data), ".keras", "load_model", "undamaged")
    data = bytearray(keras_file(good))
    place = data.rindex(b"PK\x05\x06")
    data[place + 8 : place + 12] = struct.pack("<HH", 60_000, 60_000)
    yield Case("many_members", bytes(data), ".keras", "load_model", "members|undamaged")
    data = bytearray(keras_file(good))
    for start in (data.index(b"PK\x03\x04"), data.index(b"PK\x01\x02")):
        data[start + (6 if data[start + 2] == 3 else 8)] |= 1
    yield Case("encrypted", bytes(data), ".keras", "load_model", "encrypted")
    yield Case("nothing_in_it", b"PK\x05\x06" + bytes(18), ".keras", "load_model", "member")
    yield Case("cut", keras_file(good)[:-300], ".keras", "load_model", "undamaged")
    body = np_archive(np.array([Trap(canary)], dtype=object))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", json.dumps(good))
        archive.writestr("model.weights.npz", body)
    yield Case("npz_of_objects", buffer.getvalue(), ".keras", "load_model", "expected")


def np_archive(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, w=array)
    return buffer.getvalue()


def stores(secret: Path) -> Iterator[Case]:
    """HDF5 files that lead elsewhere or declare what they don't hold, alone and in models."""

    def replace(place: str, change: Callable[[h5py.File, str], None]) -> Callable[[h5py.File], None]:
        def edit(file: h5py.File) -> None:
            del file[place]
            change(file, place)

        return edit

    def virtual(file: h5py.File, place: str) -> None:
        layout = h5py.VirtualLayout((4, 2), "f4")
        layout[:] = h5py.VirtualSource(str(secret), "layers/dense/vars/0", (4, 2))
        file.create_virtual_dataset(place, layout)

    def put(value: Any) -> Callable[[h5py.File, str], None]:
        def change(file: h5py.File, place: str) -> None:
            file[place] = value

        return change

    def make(shape: Any, **kwargs: Any) -> Callable[[h5py.File, str], None]:
        return lambda file, place: file.create_dataset(place, shape, "f4", **kwargs) and None

    def bomb(file: h5py.File, place: str) -> None:
        made = file.create_dataset(place, (2**14, 2**14), "f4", chunks=(2**9, 2**14), compression="gzip")
        packed = zlib.compress(bytes(2**9 * 2**14 * 4), 9)
        for row in range(0, 2**14, 2**9):
            made.id.write_direct_chunk((row, 0), packed)

    attacks: dict[str, tuple[Callable[[h5py.File, str], None], str]] = {
        "cve_2026_1669_external_storage": (make((4, 2), external=[(str(secret), 0, 32)]), "external file"),
        "cve_2026_1669_external_link": (put(h5py.ExternalLink(str(secret), "/x")), "external link"),
        "cve_2026_1669_soft_link": (put(h5py.SoftLink("/layers")), "soft link"),
        "cve_2026_1669_virtual": (virtual, "virtual data set"),
        "cve_2026_0897_huge_shape": (make((2**40, 2), chunks=(1024, 2), compression="gzip"), "expected"),
        "huge_chunk": (
            make((4, 2), chunks=(2**12, 2**12), maxshape=(None, None), compression="gzip"),
            "expected",
        ),
        "never_stored": (make((4, 2)), "stored"),
        "bomb": (bomb, "expected"),
        "texts": (put(np.array([b"a", b"b"])), "expected"),
        "wrong_shape": (put(np.ones((9, 9), "f4")), r"\(4, 2\)|expected"),
    }
    for name, (change, says) in attacks.items():
        body = weights(replace("layers/dense/vars/0", change))
        yield Case(name, body, ".weights.h5", "load_weights", says)
        yield Case(name, keras_file(sequential(dense()), body), ".keras", "load_model", says)
        old = h5_file(sequential(dense()), replace("model_weights/dense/dense/kernel:0", change))
        yield Case(name, old, ".h5", "load_model", f"{says}|expected")
    for place in ("layers", "layers/dense", "layers/dense/vars"):
        body = weights(replace(place, put(h5py.ExternalLink(str(secret), "/x"))))
        yield Case(f"link_at_{place.count('/')}", body, ".weights.h5", "load_weights", "external link")


_ALL = (
    *(
        (".keras", "load_model"),
        (".h5", "load_model"),
        (".weights.h5", "load_weights"),
        (".pt", "load_torch"),
    ),
    *((".safetensors", "load_weights"), (".npz", "load_weights")),
)


def pickles(canary: Path) -> Iterator[Case]:
    """Pickles in every wrapping, under every name."""
    trap = Trap(canary)
    buffer, old = io.BytesIO(), io.BytesIO()
    torch.save({"weight": trap}, buffer)
    torch.save({"weight": trap}, old, _use_new_zipfile_serialization=False)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        info = tarfile.TarInfo("pickle")
        body = pickle.dumps(trap)
        info.size = len(body)
        archive.addfile(info, io.BytesIO(body))
    wrapped = {
        "pickle": pickle.dumps(trap), "pickle_0": pickle.dumps(trap, 0), "torch": buffer.getvalue(),
        "torch_old": old.getvalue(), "npz": np_archive(np.array([trap], dtype=object)), "tar": tar.getvalue(),
    }  # fmt: skip
    for name, data in wrapped.items():
        for suffix, opened in _ALL:
            yield Case(f"pickle_{name}", data, suffix, opened, "expected")


def tensors() -> Iterator[Case]:
    """safetensors whose header lies."""

    def file(header: Any, body: bytes = bytes(40)) -> bytes:
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + body

    def one(**changes: Any) -> Config:
        return {"dense.weight": {"dtype": "F32", "shape": [2, 4], "data_offsets": [0, 32], **changes},
                "dense.bias": {"dtype": "F32", "shape": [2], "data_offsets": [32, 40]}}  # fmt: skip

    lies = {
        "huge_shape": file(one(shape=[2**40, 2**20])), "outside": file(one(data_offsets=[0, 2**40])),
        "overlap": file(one(data_offsets=[8, 40])), "backwards": file(one(data_offsets=[32, 0])),
        "long_header": struct.pack("<Q", 2**40) + b"{" + bytes(100), "deep": file(b'{"a":' * 10_000),
        "other_shape": file(one(shape=[4, 2])), "cut": file(one())[:-8],
        "unknown_type": file(one(dtype="PICKLE")),
    }  # fmt: skip
    for name, data in lies.items():
        yield Case(f"safetensors_{name}", data, ".safetensors", "load_weights", "expected")


def cases(canary: Path, secret: Path) -> list[Case]:
    """Return all hostile files; `canary` must not appear, `secret` must not be read."""
    groups = (
        gadgets(canary),
        sizes(),
        graphs(),
        texts(),
        zips(canary),
        stores(secret),
        pickles(canary),
        tensors(),
    )
    return [case for group in groups for case in group]
