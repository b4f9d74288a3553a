"""Hooks: who is called, in which order, and what an unwatched batch costs."""

from __future__ import annotations

import doctest
from typing import Any

import pytest

from neocog.exceptions import ArgumentError
from neocog.training import Hook, HookList, _hook
from neocog.training._hook import VERBS


class Recorder(Hook):
    """Writes down some verbs."""

    def __init__(self, name: str, into: list[Any]) -> None:
        self.name = name
        self.into = into
        self.count = 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs[self.name] = epoch
        self.into.append((self.name, epoch, sorted(logs)))
        self.count += 1

    def on_train_begin(self, logs: Any = None) -> None:
        self.into.append((self.name, dict(logs)))

    def state_dict(self) -> dict[str, Any]:
        return {"count": self.count}

    def load_state_dict(self, state: Any) -> None:
        self.count = state["count"]


def call(hooks: Any, verb: str) -> None:
    arguments = (3,) if "batch" in verb or "epoch" in verb else ()
    getattr(hooks, verb)(*arguments, {"a": 1})


def test_hooks_are_called_in_order_and_share_the_logs_of_an_epoch() -> None:
    into: list[Any] = []
    hooks = HookList([Recorder("x", into), Recorder("y", into)])
    hooks.on_train_begin()
    logs: dict[str, Any] = {"loss": 1.0}
    hooks.on_epoch_end(2, logs)
    assert into == [("x", {}), ("y", {}), ("x", 2, ["loss", "x"]), ("y", 2, ["loss", "x", "y"])]
    assert logs == {"loss": 1.0, "x": 2, "y": 2}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_reaches_its_hooks_and_only_they_are_kept(verb: str) -> None:
    calls: list[Any] = []
    listening = type("Listening", (Hook,), {verb: lambda self, *arguments: calls.append(arguments)})()
    hooks = HookList([Hook(), listening])
    assert [v for v in VERBS if hooks.listens(v)] == [verb]
    assert len(hooks.calls(verb)) == 1
    call(hooks, verb)
    assert calls == [(3, {"a": 1}) if "batch" in verb or "epoch" in verb else ({"a": 1},)]
    call(Hook(), verb)  # the base does nothing


def test_lists_nest_and_pass_model_and_parameters_on() -> None:
    inner_hook = Recorder("x", [])
    hooks = HookList([HookList([inner_hook])])
    hooks.set_model("model")
    hooks.set_params({"epochs": 2})
    assert (inner_hook.model, inner_hook.params) == ("model", {"epochs": 2})
    assert not hooks.listens("on_train_batch_end")
    assert hooks.listens("on_epoch_end")


def test_who_listens_is_found_out_again_once_the_parameters_are_known() -> None:
    class Late(Hook):
        def listens(self, verb: str) -> bool:
            return verb == "on_train_batch_end" and bool(self.params)

    hooks = HookList([Late()])
    assert not hooks.listens("on_train_batch_end")
    hooks.set_params({"steps": 1})
    assert hooks.listens("on_train_batch_end")


def test_an_object_with_the_verbs_alone_is_a_hook() -> None:
    class Bare:
        seen: list[int] = []

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.seen.append(batch)

    hooks = HookList()
    hooks.append(Bare())
    hooks.on_train_batch_end(5)
    hooks.on_epoch_end(0, {})
    assert Bare.seen == [5]
    hooks.load_state_dict(hooks.state_dict())


def test_states_go_to_their_hooks() -> None:
    hooks = HookList([Recorder("x", []), Recorder("y", [])])
    hooks.on_epoch_end(0, {})
    hooks.hooks[1].on_epoch_end(1, {})
    twin = HookList([Recorder("x", []), Recorder("y", [])])
    twin.load_state_dict(hooks.state_dict())
    assert [hook.count for hook in twin.hooks] == [1, 2]
    with pytest.raises(ArgumentError, match="same callbacks"):
        HookList([Hook()]).load_state_dict(hooks.state_dict())


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(_hook).failed == 0
