"""Every example in a docstring runs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import visitsync

MODULES = sorted(module.name for module in pkgutil.walk_packages(visitsync.__path__, "visitsync."))


@pytest.mark.parametrize("name", [one for one in MODULES if not one.endswith("__main__")])
def test_the_examples_of_a_module_are_true(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name), raise_on_error=False)
    assert failed == 0


def test_there_are_examples_at_all() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [
        example
        for name in MODULES
        if not name.endswith("__main__")
        for example in finder.find(importlib.import_module(name))
        if example.examples
    ]
    assert len(found) >= 2
