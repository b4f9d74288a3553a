"""One competitor in bare PyTorch: `eager`, as people write it, or `tuned`, as well as it can be done.

Tuned: channels_last memory, a fused optimizer, float32 or bfloat16 autocast, `torch.compile` or not, glibc
told to keep freed memory, subnormal numbers flushed, no wait for the device within an epoch. The suite starts
one process for each combination; the best one counts.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import torch
from protocol import serve
from torch.nn import functional as F
from torch_networks import made, training


def keep_freed_memory() -> None:
    """As in `neocog.core._memory`, which tells why: not to import neocog here."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform.startswith("linux") else None
    if mallopt is not None and mallopt(-3, 1 << 30):
        mallopt(-1, 2**31 - 1)


class BareRunner:
    """A loop over batches, written out."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.case, self.tuned = request["case"], request["style"] == "tuned"
        if self.tuned:
            keep_freed_memory()
            torch.set_flush_denormal(True)
        torch.manual_seed(0)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.folder = request["data"]
        self.batch = request.get("batch") or self.case["batch"] or 32
        self.dtype = torch.bfloat16 if request["precision"] == "bfloat16" else None
        network = made(self.case["network"]).to(self.device)
        if self.tuned:
            network = network.to(memory_format=torch.channels_last)
        self.network = network
        self.facts: dict[str, Any] = {"parameters": sum(p.numel() for p in network.parameters())}
        self.facts["versions"] = {"python": sys.version.split()[0], "torch": torch.__version__}
        self.facts["threads"] = torch.get_num_threads()
        if not self.tuned:  # the counter takes memory, which is compared with the tuned loop's
            self.facts["flops"] = self._flops()
        self.forward = torch.compile(network) if request.get("compile") else network
        weights = [p for p in network.parameters() if p.requires_grad]
        # Keras's epsilon, so that the arithmetic is the same.
        self.optimizer = torch.optim.Adam(weights, self.case["rate"], eps=1e-7, fused=self.tuned or None)
        if self.case["files"]:
            self._open_files(request)
        else:
            self._load(request["data"])

    def _load(self, folder: str) -> None:
        x = torch.from_numpy(np.load(Path(folder) / "x.npy"))
        if x.dim() == 4 and not self.tuned:
            x = x.permute(0, 3, 1, 2).contiguous()
        self.x = x.to(self.device)
        self.y = torch.from_numpy(np.load(Path(folder) / "y.npy")).to(self.device)

    def _open_files(self, request: dict[str, Any]) -> None:
        from torch_photos import FastBatches, plain_loader

        size = tuple(self.case["shape"][:2])
        kept = request.get("kept", False)
        self.open = lambda: (
            FastBatches(request["data"], size, self.batch, kept)
            if self.tuned
            else plain_loader(request["data"], size, self.batch)
        )
        self.loader: Iterable[Any] = self.open()

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the precision's context."""
        return nullcontext() if self.dtype is None else torch.autocast(self.device.type, dtype=self.dtype)

    def run(self, steps: int) -> int:
        """Run about so many steps: part of an epoch, or whole epochs."""
        if self.case["files"]:
            epochs = max(1, round(steps * self.batch / self.case["samples"]))
            return sum(self._train_epoch(self._photos()) for _ in range(epochs))
        per_epoch = max(1, len(self.x) // self.batch)
        epochs = max(1, round(steps / per_epoch))
        count = min(min(steps, per_epoch) * self.batch, len(self.x))
        if self.case["verb"] == "fit":
            return sum(self._train_epoch(self._shuffled(count)) for _ in range(epochs))
        for _ in range(epochs):
            self._infer(count)
        return count * epochs

    def _shuffled(self, count: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        order = torch.randperm(count, device=self.device)
        for first in range(0, count, self.batch):
            index = order[first : first + self.batch]
            if self.tuned:
                yield self.x.index_select(0, index), self.y.index_select(0, index)
            else:
                yield self.x[index], self.y[index]

    def _photos(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        from torch_photos import warped

        loader = self.open() if self.case["first"] else self.loader
        for x, y in loader:
            if self.tuned:
                yield warped(x).permute(0, 2, 3, 1), y
            else:
                yield x, y

    def _train_epoch(self, batches: Iterable[Any]) -> int:
        training(self.network)
        total = torch.zeros((), device=self.device)
        correct = torch.zeros((), device=self.device)
        samples = 0
        for x, y in batches:
            with self.autocast():
                logits = self.forward(self._first(x))
            loss, right = self._judged(logits.float(), y)
            loss.backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            total += loss.detach() * len(y)
            correct += right
            samples += len(y)
        (total + correct).item()
        return samples

    def _judged(self, logits: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self.case["binary"]:
            logits = logits.squeeze(1)
            loss = F.binary_cross_entropy_with_logits(logits, y.float())
            return loss, ((logits.detach() > 0) == (y > 0.5)).sum()
        return F.cross_entropy(logits, y.long()), (logits.detach().argmax(1) == y).sum()

    def _infer(self, count: int) -> None:
        self.network.eval()
        outputs = []
        total = torch.zeros((), device=self.device)
        with torch.inference_mode() if self.tuned else torch.no_grad(), self.autocast():
            for first in range(0, count, self.batch):
                part = slice(first, min(first + self.batch, count))
                output = self.forward(self._first(self.x[part])).float()
                if self.case["verb"] == "predict":
                    outputs.append(output.cpu())
                else:
                    loss, right = self._judged(output, self.y[part])
                    total += loss * len(output) + right
        if outputs:
            torch.cat(outputs).numpy()
        total.item()

    def _first(self, x: torch.Tensor) -> torch.Tensor:
        """Return a batch with its channels first: a view of channels_last memory."""
        return x.permute(0, 3, 1, 2) if x.dim() == 4 and self.tuned else x

    def _flops(self, samples: int = 2) -> float:
        """Operations of a step for one sample, by torch's own counter."""
        from torch.utils.flop_counter import FlopCounterMode

        shape = self.case["shape"]
        shape = (samples, *shape) if len(shape) == 1 else (samples, shape[2], *shape[:2])
        x = torch.zeros(shape, device=self.device)
        training(self.network)
        with FlopCounterMode(display=False) as counter:
            if self.case["verb"] == "fit":
                self.network(x).float().sum().backward()
            else:
                with torch.no_grad():
                    self.network(x)
        for parameter in self.network.parameters():
            parameter.grad = None
        return float(counter.get_total_flops()) / samples

    def learn(self, **settings: Any) -> dict[str, Any]:
        """Train until a test accuracy is reached."""
        from learning import learn_torch

        return learn_torch(self, **settings)


if __name__ == "__main__":
    serve(BareRunner)
