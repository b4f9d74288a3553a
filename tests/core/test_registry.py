"""Registries: names, aliases, nearest names, configs, and the names that a user lends for one block."""

from __future__ import annotations

from typing import Any

import pytest

from neocog.core import Registry, custom_object, custom_object_scope
from neocog.exceptions import ArgumentTypeError, UnknownNameError


class Thing:
    """A class with a config."""

    def __init__(self, size: int = 1) -> None:
        self.size = size

    def get_config(self) -> dict[str, Any]:
        return {"size": self.size}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Thing:
        return cls(**config)


class Bare:
    """A class without from_config."""

    def __init__(self, size: int = 1) -> None:
        self.size = size


def double(x: int) -> int:
    return 2 * x


@pytest.fixture
def things() -> Registry[Any]:
    registry: Registry[Any] = Registry("thing")
    registry.register("thing", "t")(Thing)
    registry.register()(Bare)
    registry.register("twice")(double)
    registry.register(name="Renamed")(type("Private", (Thing,), {}))
    return registry


def test_names_aliases_and_entries(things: Registry[Any]) -> None:
    assert things.names() == ["Bare", "Renamed", "Thing", "double"]
    assert dict(things.items())["Thing"] is Thing
    assert things.aliases() == {"thing": "Thing", "t": "Thing", "twice": "double"}
    assert things.resolve("t") is things.resolve("Thing") is Thing
    assert things.name_of(double) == "double"
    assert things.name_of(print) is None
    for name in ("Thing", "t", "Renamed"):
        assert name in things
    assert "Private" not in things


def test_the_alias_table_is_a_copy(things: Registry[Any]) -> None:
    things.aliases()["Thing"] = "Bare"
    assert things.resolve("Thing") is Thing


def test_an_exact_name_goes_before_an_alias() -> None:
    registry: Registry[Any] = Registry("thing")
    registry.register("Bare")(Thing)
    registry.register()(Bare)
    assert registry.resolve("Bare") is Bare


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Thnig", "Did you mean 'thing'"),
        ("THING", "Did you mean 'thing'"),
        ("dubble", "Did you mean 'double'"),
        ("zzzz", "Known: Bare, Renamed, Thing, double."),
    ],
)
def test_an_unknown_name_offers_the_nearest(things: Registry[Any], name: str, hint: str) -> None:
    with pytest.raises(UnknownNameError, match=f"thing '{name}': no thing has this name. {hint}"):
        things.resolve(name)


def test_a_name_close_to_two_offers_both(things: Registry[Any]) -> None:
    things.register()(type("Things", (), {}))
    with pytest.raises(UnknownNameError, match=r"Did you mean '.*' or '.*'"):
        things.resolve("Thingz")


def test_make_takes_all_that_a_user_may_write(things: Registry[Any]) -> None:
    made = Thing(3)
    assert things.make(None) is None
    assert things.make(made.get_config) == made.get_config
    assert things.make("twice") is double
    assert isinstance(things.make("t"), Thing)
    assert isinstance(things.make(Thing), Thing)
    assert things.make({"class_name": "Thing", "config": {"size": 5}}).size == 5
    assert things.make({"class_name": "t"}).size == 1
    assert things.make({"class_name": "Bare", "config": {"size": 4}}).size == 4
    assert things.make({"class_name": "function", "config": "double"}) is double
    assert things.make({"class_name": "double", "config": None}) is double


@pytest.mark.parametrize("bad", [3, 2.5, ["Thing"], object(), {"config": {}}, {}])
def test_make_refuses_the_rest(things: Registry[Any], bad: Any) -> None:
    with pytest.raises(ArgumentTypeError, match=r"^thing: expected"):
        things.make(bad)


@pytest.mark.parametrize("bad", ["os.system", "builtins.eval", ["Thing"], 3, None])
def test_a_config_resolves_through_the_table_alone(things: Registry[Any], bad: Any) -> None:
    with pytest.raises(UnknownNameError, match=r"no thing has this name|no class of neocog"):
        things.make({"module": "os", "class_name": bad, "config": {}})


def test_describe_and_make_are_a_round_trip(things: Registry[Any]) -> None:
    config = things.describe(Thing(7))
    assert config == {
        "module": "keras.things",
        "class_name": "Thing",
        "config": {"size": 7},
        "registered_name": None,
    }
    assert things.make(config).size == 7
    assert things.describe(double) == "double"
    assert things.make(things.describe(double)) is double
    assert things.describe(None) is None


def test_what_is_not_registered_describes_itself_by_its_own_name(things: Registry[Any]) -> None:
    class Mine(Thing):
        pass

    config = things.describe(Mine(2))
    assert (config["module"], config["registered_name"]) == (__name__, "Mine")
    with pytest.raises(UnknownNameError):
        things.make(config)
    with custom_object_scope({"Mine": Mine}):
        assert type(things.make(config)) is Mine
    assert things.describe(lambda x: x)["class_name"] == "__lambda__"


def test_a_class_that_borrows_a_registered_name_is_not_taken_for_it(things: Registry[Any]) -> None:
    imposter = type("Thing", (Thing,), {})
    assert things.describe(imposter())["registered_name"] == "Thing"


@pytest.mark.parametrize(
    ("family", "module"),
    [("loss", "losses"), ("layer", "layers"), ("schedule", "optimizers.schedules"), ("metric", "metrics")],
)
def test_the_module_is_that_of_keras(family: str, module: str) -> None:
    assert Registry[Any](family).module == module


def test_scopes_nest_and_end(things: Registry[Any]) -> None:
    with custom_object_scope({"Thing": 1, "a": 2}):
        with custom_object_scope({"Thing": 3}):
            assert things.resolve("Thing") == custom_object("Thing") == 3
            assert custom_object("a") == 2
            assert "a" in things
        assert things.resolve("Thing") == 1
    assert things.resolve("Thing") is Thing
    assert custom_object("a") is None
    assert "a" not in things


def test_a_scope_ends_when_its_block_fails() -> None:
    with pytest.raises(KeyError), custom_object_scope({"a": 1}):
        raise KeyError
    assert custom_object("a") is None
