"""Extension of griffe: parameters that a docstring names together ("mode, boundary") have each its own default and type, not the first one's."""

from __future__ import annotations

from typing import Any

import griffe


class OwnDefaults(griffe.Extension):
    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        self._visit(pkg)

    def _visit(self, thing: Any) -> None:
        if thing.is_alias:
            return
        signature = thing if thing.is_function else thing.members.get("__init__") if thing.is_class else None
        if thing.docstring and signature is not None and not signature.is_alias:
            self._correct(thing.docstring, {parameter.name: parameter for parameter in signature.parameters})
        for member in thing.members.values():
            self._visit(member)

    def _correct(self, docstring: griffe.Docstring, parameters: dict[str, griffe.Parameter]) -> None:
        for section in docstring.parsed:
            if section.kind is not griffe.DocstringSectionKind.parameters:
                continue
            first: dict[str, str] = {}  # description: the name that came first with it
            for documented in section.value:
                known = parameters.get(documented.name)
                if known is None:
                    continue
                documented.value = known.default
                if first.setdefault(documented.description, documented.name) != documented.name:
                    documented.annotation = known.annotation
