"""Two hosts, which are network namespaces with a cable between them, train as one process does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from _launched import ENVIRONMENT, SCRIPT, endings, result

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed training"),
]
ADDRESSES = ("10.177.31.1", "10.177.31.2")
LONGEST = 180  # seconds that one job may take


class Hosts:
    """Two network namespaces of names of this process's own."""

    def __init__(self) -> None:
        self.names = [f"nc{os.getpid() % 10_000_000}{letter}" for letter in "ab"]

    def make(self) -> str | None:
        """Make them; return why not where the system does not let us."""
        ends = [f"v{name}"[:15] for name in self.names]
        self.ends = ends
        commands = [f"netns add {name}" for name in self.names]
        commands.append(f"link add {ends[0]} type veth peer name {ends[1]}")
        for name, end, address in zip(self.names, ends, ADDRESSES, strict=True):
            commands.append(f"link set {end} netns {name}")
            commands.append(f"-n {name} address add {address}/24 dev {end}")
            commands += [f"-n {name} link set {device} up" for device in (end, "lo")]
        for command in commands:
            try:
                done = subprocess.run(["ip", *command.split()], capture_output=True, text=True, timeout=20)
            except OSError as error:
                return str(error)
            if done.returncode:
                return f"ip {command}: {done.stderr.strip()}"
        return None

    def remove(self) -> None:
        for name in self.names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, timeout=20)

    def start(self, host: int, out: Path, cases: list[str], kills: str | None) -> subprocess.Popen[str]:
        """Start torchrun on a host, for two processes there."""
        options = {
            "--nnodes": "2",
            "--nproc-per-node": "2",
            "--max-restarts": "2",
            "--rdzv-backend": "c10d",
            "--rdzv-endpoint": f"{ADDRESSES[0]}:29517",
            "--rdzv-id": "two",
            "--rdzv-conf": f"is_host={host == 0},join_timeout=60",
            "--local-addr": ADDRESSES[host],
        }
        launch = [sys.executable, "-m", "torch.distributed.run", *sum(options.items(), ())]
        environment = {**os.environ, **ENVIRONMENT, "GLOO_SOCKET_IFNAME": self.ends[host]}
        environment |= {} if kills is None else {"KILLS": kills}
        return subprocess.Popen(
            ["ip", "netns", "exec", self.names[host], *launch, str(SCRIPT), str(out), *cases],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def run(self, out: Path, case: str, kills: str | None = None) -> list[Any]:
        """Return what each of four processes ends with."""
        jobs = [self.start(host, out, [case], kills) for host in (0, 1)]
        try:
            told = [job.communicate(timeout=LONGEST)[0] for job in jobs]
        finally:
            for job in jobs:
                job.kill()
        assert [job.returncode for job in jobs] == [0, 0], "\n".join(text[-2000:] for text in told)
        return [json.loads(Path(f"{out}.{case}.{rank}.json").read_text()) for rank in range(4)]


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    made = Hosts()
    try:
        fault = made.make()
        if fault is not None:
            pytest.skip(f"no network namespaces here: {fault}")
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def whole(hosts: Hosts, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What an undisturbed job ends with."""
    return hosts.run(tmp_path_factory.mktemp("whole") / "out", "elastic")


def test_two_hosts_end_as_one_process_does(whole: list[Any], tmp_path: Path) -> None:
    alone = result(tmp_path, "alone", 1, "elastic")[0]
    assert all(one == whole[0] for one in whole)
    for own, other in zip(alone["weights"], whole[0]["weights"], strict=True):
        np.testing.assert_allclose(other, own, atol=5e-6)
    assert alone["history"]["accuracy"] == whole[0]["history"]["accuracy"]


@pytest.mark.parametrize("kills", ["2&3:20"])
def test_a_host_whose_processes_are_killed_costs_nothing(
    hosts: Hosts, whole: list[Any], tmp_path: Path, kills: str
) -> None:
    """One process of the second host, all of it: the job ends with the bits of the undisturbed one."""
    assert endings(hosts.run(tmp_path / "out", "elastic", kills)) == endings(whole)
