"""Weight files that do not fit, are broken or unsafe; addresses; nothing is ever half loaded."""

from __future__ import annotations

import hashlib
import io
import pickle
import re
import tarfile
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import plain_torch as plain
import pytest
import torch
from safetensors.torch import save_file

from neocog import applications, zoo
from neocog.applications._state_weights import load_state_file
from neocog.exceptions import (
    ArgumentError,
    DownloadError,
    FileFormatError,
    NeocogError,
    ShapeError,
    StorageError,
)
from neocog.files import read_state_dict


@pytest.fixture
def file(tmp_path: Path, home: Path) -> Path:
    """Weights of the CIFAR ResNet of 20 layers, as safetensors."""
    path = tmp_path / "resnet20.safetensors"
    save_file(plain.randomize(plain.CifarResNet(20)).state_dict(), path)
    return path


def small(**changes: torch.Tensor | None) -> dict[str, torch.Tensor]:
    state = plain.CifarResNet(20).state_dict()
    state.update({name: value for name, value in changes.items() if value is not None})
    return {name: value for name, value in state.items() if name not in changes or changes[name] is not None}


@pytest.mark.parametrize(
    ("make", "texts"),
    [
        (zoo.resnet18, ["37 missing", "32 unexpected", "resnet20 for CIFAR", "zoo.resnet20 takes it"]),
        (zoo.resnet32, ["missing (layer1_3_conv1.weight", "resnet20 for CIFAR"]),
        (zoo.squeezenet1_0, ["missing", "unexpected", "resnet20"]),
        (partial(zoo.resnet20, width=8), ["of another shape", "(16, 3, 3, 3)", "pass width=16"]),
        (
            partial(zoo.resnet20, include_top=False, input_shape=(32, 32, 1)),
            ["takes images of 3 channels in the file, and of 1", "an input_shape with 3 channels"],
        ),
        (
            partial(zoo.resnet20, classes=7, input_shape=(32, 32, 1)),
            ["The classifier differs", "pass classes=10", "input_shape with 3 channels"],
        ),
        (
            partial(zoo.resnet20, classes=7),
            ["linear.weight (10, 64)", "pass classes=10", "include_top=False"],
        ),
        (applications.MobileNet, ["resnet20 for CIFAR"]),
    ],
)
def test_another_architecture_is_named(make: Any, texts: list[str], file: Path) -> None:
    with pytest.raises(ShapeError) as caught:
        make(weights=file)
    for text in [*texts, "Nothing was loaded"]:
        assert text.lower() in str(caught.value).lower()


@pytest.mark.parametrize(
    ("network", "label"),
    [
        (lambda: plain.ResNet((3, 4, 6, 3), False), "resnet34"),
        (lambda: plain.ResNet((3, 4, 23, 3), True), "resnet101"),
        (lambda: plain.ResNet((1, 1, 1, 1), False), "no form here"),
        (lambda: plain.MobileNetV1(0.5), "width 0.5"),
        (lambda: plain.MobileNetV2(), "mobilenet_v2"),
        (lambda: plain.SqueezeNet(), "squeezenet1_0"),
        (lambda: plain.DenseNet((6, 12, 32, 32)), "densenet169"),
        (lambda: plain.DenseNet((6, 6)), "a dense network"),
        (lambda: plain.VGG((1, 1, 2, 2, 2), True), "vgg11_bn"),
        (lambda: plain.VGG((2, 2, 4, 4, 4), False), "vgg19"),
        (lambda: plain.AlexNet(), "alexnet"),
        (lambda: plain.TimmEfficientNet(True), "efficientnet_b0"),
        (lambda: torch.nn.Sequential(torch.nn.Linear(2, 2)), "not known here"),
    ],
)
def test_files_are_recognised(network: Any, label: str, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    from neocog.files import StateFile

    with torch.device("meta"):
        tensors = network().state_dict()
    state = StateFile(path=Path("given.pth"), sha256="", tensors=tensors, metadata={})
    with pytest.raises(ShapeError, match=label):
        load_state_file("resnet20", zoo.resnet20(), state, True)


def test_nothing_is_half_loaded(tmp_path: Path, home: Path) -> None:
    for changes in (
        {"linear.weight": None},
        {"linear.bias": torch.ones(11)},
        {"layer4.bias": torch.ones(1)},
        {"linear.bias": torch.ones(10, dtype=torch.int64)},
    ):
        save_file(small(**changes), tmp_path / "w.safetensors")
        model = zoo.resnet20()
        before = [value.clone() for value in model.state_dict().values()]
        with pytest.raises(ShapeError):
            load_state_file("resnet20", model, read_state_dict(tmp_path / "w.safetensors"), True)
        assert all(torch.equal(a, b) for a, b in zip(before, model.state_dict().values(), strict=True))


def test_a_file_without_classifier(tmp_path: Path, home: Path) -> None:
    save_file(small(**{"linear.weight": None, "linear.bias": None}), tmp_path / "w.safetensors")
    with pytest.raises(ShapeError, match="has no classifier: pass include_top=False"):
        zoo.resnet20(weights=tmp_path / "w.safetensors")
    base = zoo.backbone("resnet20", tmp_path / "w.safetensors")
    assert (base.classes, base.top, base.class_names) == (None, None, None)


class _Harmful:
    def __reduce__(self) -> Any:
        return (print, ("ran",))


def _pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps(_Harmful()))


def _harmful_checkpoint(path: Path) -> None:
    torch.save({"state_dict": small(), "extra": _Harmful()}, path)


def _cut(path: Path) -> None:
    torch.save(small(), path)
    path.write_bytes(path.read_bytes()[:-2000])


def _cut_safetensors(path: Path) -> None:
    save_file(small(), path)
    path.write_bytes(path.read_bytes()[:-2000])


def _page(path: Path) -> None:
    path.write_text("<!DOCTYPE html><title>404</title>")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _packed(path: Path) -> None:
    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(1000, 1000)}, buffer)
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))


def _spread(path: Path) -> None:
    torch.save({"a": torch.zeros(1).expand(10**12)}, path)


def _tar(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("storages")
        info.size = 600
        archive.addfile(info, io.BytesIO(bytes(600)))


def _nothing_in_it(path: Path) -> None:
    torch.save({"epoch": 3}, path)


@pytest.mark.parametrize(
    ("write", "suffix", "text"),
    [
        (_pickled, ".pth", "objects that could run code"),
        (_harmful_checkpoint, ".pth", "objects that could run code"),
        (_cut, ".pth", "cut short"),
        (_cut_safetensors, ".safetensors", "Get it again"),
        (_page, ".pth", "page of errors"),
        (_page, ".safetensors", "page of errors"),
        (_page, ".h5", "page of errors"),
        (_empty, ".pth", "an empty file"),
        (_packed, ".pth", "packed members"),
        (_spread, ".pth", "tensors as large as the file"),
        (_tar, ".pth", "a tar archive"),
        (_nothing_in_it, ".pth", "names to tensors"),
    ],
)
def test_broken_and_unsafe_files(
    write: Any, suffix: str, text: str, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"w{suffix}"
    write(path)
    with pytest.raises(NeocogError, match=text):
        zoo.resnet20(weights=path)
    with pytest.raises(NeocogError, match=text):
        zoo.backbone("resnet20", path)
    assert "ran" not in capsys.readouterr().out
    converted = home / "models" / "converted"
    assert not converted.exists() or not list(converted.iterdir())


def test_a_missing_file(home: Path) -> None:
    with pytest.raises(ArgumentError, match="a file that exists"):
        zoo.resnet20(weights="/nowhere/w.pth")
    with pytest.raises((ArgumentError, StorageError)):
        zoo.backbone("resnet20", "/nowhere/w.pth")


def test_converted_once(tmp_path: Path, home: Path) -> None:
    state = plain.randomize(plain.CifarResNet(20)).state_dict()
    path = tmp_path / "w.th"
    torch.save({"best_prec1": 91.0, "state_dict": {f"module.{n}": v for n, v in state.items()}}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    first = read_state_dict(path)
    converted = home / "models" / "converted" / f"{digest}.safetensors"
    assert converted.is_file()
    assert first.sha256 == digest
    converted.write_bytes(converted.read_bytes()[:5000])  # a copy that broke is made anew
    again = read_state_dict(path)
    assert sorted(again.tensors) == sorted(name for name in state if "num_batches" not in name)
    assert all(torch.equal(again.tensors[name], state[name]) for name in again.tensors)
    third = read_state_dict(path)
    assert all(torch.equal(third.tensors[name], state[name]) for name in third.tensors)


def test_older_torch_files(tmp_path: Path, home: Path) -> None:
    state = plain.randomize(plain.CifarResNet(20)).state_dict()
    torch.save(state, tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    assert zoo.backbone("resnet20", tmp_path / "w.pth").classes == 10


def test_a_full_disk_costs_only_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    monkeypatch.setenv("NEOCOG_HOME", str(tmp_path / "home"))
    torch.save(small(), tmp_path / "w.pth")
    assert zoo.resnet20(weights=tmp_path / "w.pth").count_params() > 0


# --- addresses ----------------------------------------------------------------------------------------------


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}", folder
        http.shutdown()


def test_weights_by_address(server: tuple[str, Path], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address, folder = server
    torch.save(plain.randomize(plain.CifarResNet(20)).state_dict(), folder / "resnet20-12fca82f.pth")
    digest = hashlib.sha256((folder / "resnet20-12fca82f.pth").read_bytes()).hexdigest()
    url = f"{address}/resnet20-12fca82f.pth"
    for weights in (f"{url}#sha256={digest.upper()}", (url, digest)):
        base = zoo.backbone("resnet20", weights)
        assert base.weights_sha256 == digest
        assert zoo.resnet20(weights=weights).count_params() == base.top.count_params()
    kept = [path.name for path in (home / "models").iterdir() if path.is_file()]
    assert kept == [f"{digest[:16]}-resnet20-12fca82f.pth"]
    with pytest.raises(ArgumentError, match=r"8 digits in its name are too few.*#sha256="):
        zoo.resnet20(weights=url)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(DownloadError, match="what was loaded is deleted"):
        zoo.resnet20(weights=(url, "0" * 64))


@pytest.mark.parametrize(
    "weights",
    [
        "https://host/w.pth",
        "https://host/w.pth#sha256=123",
        ("https://host/w.pth", None),
        ("w.pth", "0" * 64),
        "ftp://host/w.pth#sha256=" + "0" * 64,
        "file:///etc/passwd#sha256=" + "0" * 64,
        3,
        (1, 2),
        b"w.pth",
        "",
    ],
)
def test_addresses_without_checksum_are_refused(weights: Any, home: Path) -> None:
    with pytest.raises((ArgumentError, FileFormatError)):
        zoo.resnet20(weights=weights)
    with pytest.raises((ArgumentError, FileFormatError)):
        zoo.backbone("resnet20", weights)


def test_without_a_known_file(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEOCOG_DATA", str(tmp_path))
    assert zoo.find_weights("mobilenet") is None
    with pytest.raises(ArgumentError, match="pass weights=PATH"):
        zoo.backbone("resnet18", "imagenet")
    with pytest.raises(ArgumentError, match="pass weights=PATH"):
        zoo.backbone("mobilenet", "imagenet")
    for make in (zoo.resnet18, zoo.resnet32, partial(zoo.resnet32, classes=1000)):
        with pytest.raises(ArgumentError, match="pass weights=PATH"):
            make(weights="imagenet")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "mobilenet_v1_0.75_224_imagenet.safetensors").write_bytes(b"another file")
    assert zoo.find_weights("mobilenet") is None
    with pytest.raises(NeocogError, match="architecture"):
        zoo.find_weights("mobilnet")
    with pytest.raises(ArgumentError, match="image_size"):
        zoo.backbone("mobilenet", image_size=(1, 2, 3))
    with pytest.raises(ArgumentError, match="preprocessing"):
        zoo.backbone("mobilenet", preprocessing="tourch")
    with pytest.raises(NeocogError):
        zoo.backbone("text_cnn")


@pytest.mark.parametrize(
    ("name", "auxiliary"), [("inception_v3", "AuxLogits.fc.weight"), ("googlenet_bn", "aux1.fc2.weight")]
)
def test_auxiliary_classifiers_are_left_out(name: str, auxiliary: str, tmp_path: Path, home: Path) -> None:
    model = zoo.build(name, classes=3)
    joints = re.compile(r"^(Mixed_\d\w|inception\d\w)_|_(?=(?:conv|bn|[01])\.|[01]_(?:conv|bn)\.)")
    dotted = {joints.sub(lambda m: f"{m[1] or ''}.", key): v for key, v in model.state_dict().items()}
    assert any(".branch" in key and key.endswith(".conv.weight") for key in dotted)
    dotted[auxiliary] = torch.ones(3, 4)
    save_file({key: value.contiguous() for key, value in dotted.items()}, tmp_path / "w.safetensors")
    base = zoo.backbone(name, tmp_path / "w.safetensors")
    assert (base.name, base.classes, base.preparation.mean) == (name, 3, (127.5,) * 3)
    with pytest.raises(ShapeError, match=f"zoo.{name} takes it"):
        applications.InceptionV3(weights=tmp_path / "w.safetensors", input_shape=(75, 75, 3), classes=3)
