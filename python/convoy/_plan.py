"""Plans, devices and self-tests as values to look at."""

from __future__ import annotations

import dataclasses
import html
import json
import math
from typing import Any

from . import _core


class Plan:
    """How a convolution or deconvolution is padded, cut and laid out in memory. Made before anything is allocated.

    ``print(plan)`` tells the whole; notebooks show the memory as bars.

    Attributes
    ----------
    json : dict
        The same as a dictionary; sizes are [z, y, x], keys end in their unit.
    text : str
    """

    __slots__ = ("json", "text")

    def __init__(self, json_text: str, text: str) -> None:
        self.json: dict[str, Any] = json.loads(json_text)
        self.text = text

    def __reduce__(self) -> tuple[Any, ...]:
        return Plan, (json.dumps(self.json), self.text)

    @property
    def device_bytes(self) -> int:
        """Bytes of device memory."""
        return int(self.json["footprint_bytes"])

    @property
    def num_tiles(self) -> int:
        """Pieces that a run is done in."""
        number = self.json.get("num_tiles", 1)
        return math.prod(number) if isinstance(number, list) else int(number)

    @property
    def predicted_seconds(self) -> float:
        """Of one run, or of one iteration; 0 where the device's rates are unknown."""
        return float(self.json.get("predicted_seconds", 0))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        tiles = f"{self.num_tiles} tile{'s' if self.num_tiles != 1 else ''}"
        memory = _core.bytes_to_text(self.device_bytes)
        return f"<convoy.Plan: {tiles}, {memory} on the device, about {1e3 * self.predicted_seconds:.3g} ms>"

    def _repr_html_(self) -> str:
        ledger = self.json.get("ledger", [])
        largest = max((line["bytes"] for line in ledger), default=1) or 1
        rows = "".join(_ledger_row(line, largest) for line in ledger)
        return (
            f"<div><b>{html.escape(repr(self)[1:-1])}</b><table><thead><tr><th style='text-align:left'>device memory</th>"
            f"<th></th><th></th><th></th></tr></thead><tbody>{rows}</tbody></table>"
            f"<details><summary>the whole plan</summary><pre>{html.escape(self.text)}</pre></details></div>"
        )


def _ledger_row(line: dict[str, Any], largest: int) -> str:
    width = 100 * line["bytes"] / largest
    return (
        f"<tr><td style='text-align:left'>{html.escape(line['name'])}</td><td>{_core.bytes_to_text(line['bytes'])}</td>"
        f"<td style='text-align:left;min-width:8em'><div style='background:#4a90d9;height:.8em;width:{width:.1f}%'></div></td>"
        f"<td style='text-align:left;opacity:.7'>{html.escape(line.get('note', ''))}</td></tr>"
    )


@dataclasses.dataclass(frozen=True)
class Device:
    """A device that convoy can use; ``device=`` of every function takes its `id`."""

    id: str
    name: str
    driver: str
    uuid: str
    architecture: str
    type: str
    total_bytes: int
    free_bytes: int
    supports_float64: bool


class Devices(tuple[Device, ...]):
    """A tuple of `Device`.

    Attributes
    ----------
    unavailable : dict
        Why each other backend of this build has no device here, by its name.
    libraries : list of dict
        Of each driver and compiler that was looked for: ``'library'``, ``'found'`` (the file that is used, or ``''``), ``'variable'`` (of the
        environment, to name another file), and ``'attempts'``, a ``'place'`` and a ``'problem'`` each.
    """

    unavailable: dict[str, str]
    libraries: list[dict[str, Any]]

    def __repr__(self) -> str:
        lines = []
        for device in self:
            lines.append(f"{device.id:10} {device.name}, {device.type}, {_free_of(device)} free ({device.driver})")
        lines += [f"{name:10} not available: {why}" for name, why in self.unavailable.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [(device.id, device.name, device.type, _free_of(device), device.driver) for device in self]
        rows += [(name, f"not available: {why}", "", "", "") for name, why in self.unavailable.items()]
        cells = "".join("<tr>" + "".join(f"<td style='text-align:left'>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        heads = "".join(f"<th style='text-align:left'>{head}</th>" for head in ("device", "name", "type", "free memory", "driver"))
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{cells}</tbody></table>"


def _free_of(device: Device) -> str:
    return f"{_core.bytes_to_text(device.free_bytes)} of {_core.bytes_to_text(device.total_bytes)}"


@dataclasses.dataclass(frozen=True)
class SelftestReport:
    """What `selftest` found. True where it passed.

    Attributes
    ----------
    passed : bool
        At least one check passed and none failed.
    json : dict
        Version, device, and each check with its error, tolerance and verdict.
    """

    passed: bool
    json: dict[str, Any]

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        verdicts = [check["verdict"] for check in self.json["checks"]]
        counts = ", ".join(f"{verdicts.count(v)} {v}" for v in ("passed", "failed", "skipped") if v in verdicts)
        return f"<convoy.SelftestReport: {counts}>"


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where a run stands.

    Attributes
    ----------
    done, total : int
        Tiles, or iterations.
    seconds : float
        Since the run began.
    fraction : float
        Of the run, 0 to 1; on the CPU also within a tile.
    """

    done: int
    total: int
    seconds: float
    fraction: float = 0.0
