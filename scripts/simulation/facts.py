"""Facts as JSON text. The frequent ones are written out by hand for speed, the others go through the encoder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .clock import ISO, Zone, local_stamp, stamp

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def fact(kind: str, fields: Mapping[str, Any]) -> str:
    """Any fact, from its type and its fields in order."""
    return encode({"type": kind, **fields})


def opening(patient: str, provider: str, zone: Zone, place: str) -> str:
    """An `EpisodeOpened`; a home is the default and stays unsaid."""
    fields = {"patient": patient, "provider": provider, "zone": zone.name}
    if place != "12":
        fields["place_of_service"] = place
    return fact("EpisodeOpened", fields)


def day_served(order: str, day: int, infused: bool = True, place: str = "") -> str:
    """A `DayServed`; at the episode's own place it goes without one."""
    tail = "" if infused else ',"infused":false'
    tail += f',"place_of_service":"{place}"' if place else ""
    return f'{{"type":"DayServed","order":"{order}","date":"{ISO[day]}"{tail}}}'


def days_served(order: str, first: int, last: int, infused: bool) -> str:
    """A `DaysServed`: a delivery ticket, or (infused) a patient's log."""
    tail = ',"infused":true' if infused else ""
    return f'{{"type":"DaysServed","order":"{order}","from":"{ISO[first]}","to":"{ISO[last]}"{tail}}}'


def infusion_logged(order: str, start: int, stop: int) -> str:
    """An `InfusionLogged` between two UTC minutes."""
    return f'{{"type":"InfusionLogged","order":"{order}","started_at":"{stamp(start)}","stopped_at":"{stamp(stop)}"}}'


def nursing_visited(day: int, zone: Zone, start: int, credential: str) -> str:
    """A `NursingVisited` of fifty minutes from a UTC minute."""
    return (
        f'{{"type":"NursingVisited","date":"{ISO[day]}","started_at":"{local_stamp(zone, start)}",'
        f'"stopped_at":"{local_stamp(zone, start + 50)}","credential":"{credential}"}}'
    )


def supply_dispensed(day: int, item: str, quantity: int, hcpcs: str, supply: int) -> str:
    """A `SupplyDispensed`; an item without a code goes without one."""
    code = f',"hcpcs":"{hcpcs}"' if hcpcs else ""
    return (
        f'{{"type":"SupplyDispensed","date":"{ISO[day]}","item":"{item}","quantity":{quantity}{code},'
        f'"days_supply":{supply}}}'
    )


def drug_dispensed(day: int, ndc: str, tenths: int, rx: str, supply: int = 0) -> str:
    """A `DrugDispensed` of so many tenths of a millilitre; at times it says for how many days."""
    tail = f',"days_supply":{supply}' if supply else ""
    return (
        f'{{"type":"DrugDispensed","date":"{ISO[day]}","ndc":"{ndc}","quantity":"{tenths // 10}.{tenths % 10}",'
        f'"unit":"ML","rx":"{rx}"{tail}}}'
    )


def pain_assessed(day: int, score: int) -> str:
    """A `PainAssessed` on the numeric scale."""
    return f'{{"type":"PainAssessed","date":"{ISO[day]}","score":{score},"tool":"NRS"}}'


def noted(kind: str, day: int, note: str) -> str:
    """A `ResponseNoted` or `CoordinationNoted`; `note` holds nothing that needs escaping."""
    return f'{{"type":"{kind}","date":"{ISO[day]}","note":"{note}"}}'
