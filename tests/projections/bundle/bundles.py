"""A sender of bundles and its receiver, and bundles changed on their way."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from ledger.facts.forms import check_npi
from ledger.proof.checkpoint import note_of, parse_note, text_of
from ledger.proof.merkle import proofs_of
from ledger.proof.seals import leaf_of
from ledger.proof.signing import create_key, load_key, sign
from projections.bundle.zip import BundleManifest, with_manifest
from tests.command_line import OPENING, SERVED, Ended, House, example, lines_of, told

Members = dict[str, bytes]

AT = "2026-03-01T12:00:00Z"

LATER = "2026-03-09T08:00:00.25Z"

LAST = "2026-03-20T09:10:11.99Z"


def npi(of: str) -> str:
    """The NPI of nine digits, with its check digit."""
    for last in "0123456789":
        try:
            return check_npi(of + last)  # type: ignore[no-any-return]
        except ValueError:
            continue
    raise AssertionError


SECRET_NPIS = npi("198765432"), npi("187654321")


def of_another(episode: str, patient: str) -> list[dict[str, Any]]:
    """An episode with a mark of its own in every field that has room for one."""
    line = {"code": "S9325", "from": "2026-02-02", "to": "2026-02-02", "units": 1, "charge_cents": 454545}
    facts: list[dict[str, Any]] = [
        OPENING | {"patient": patient},
        {"type": "CoverageVerified", "payer": "prairie-blue", "member": "ZZ-MEMBER", "from": "2026-01-01"},
        {"type": "CoverageVerified", "payer": "zz-payer", "member": "ZZ-M2", "from": "2027-08-18", "rank": 9},
        {"type": "TherapyOrdered", "order": "ZZ-RX", "mode": "continuous", "from": "2026-02-02",
         "prescriber": SECRET_NPIS[0], "drug": "ZZ-drug", "route": "ZZ-route", "signed_on": "2026-01-29"},
        {"type": "DiagnosisRecorded", "icd10": "C79.51", "from": "2026-01-01"},
        {"type": "PlanSigned", "plan": "ZZ-PLAN", "signed_on": "2026-02-01", "from": "2026-02-01", "to": "2027-09-19"},
        {"type": "PainAssessed", "date": "2026-02-02", "score": 9, "tool": "ZZ-tool"},
        {"type": "DayServed", "order": "ZZ-RX", "date": "2026-02-02"},
        {"type": "DrugDispensed", "date": "2026-02-02", "ndc": "99999888877", "quantity": "7777.777", "unit": "ML",
         "rx": "ZZ-script"},
        {"type": "SupplyDispensed", "date": "2026-02-02", "item": "ZZ-item", "quantity": 7},
        {"type": "DrugBilledSeparately", "hcpcs": "J7799", "units": 1, "from": "2026-02-03", "claim": "ZZ-DRUG"},
        {"type": "ServiceBilledSeparately", "code": "S5498", "from": "2026-02-03", "billed_by": SECRET_NPIS[1]},
        {"type": "ServiceBilledSeparately", "code": "99602", "from": "2026-02-03"},
        {"type": "ServiceBilledSeparately", "code": "S9328", "from": "2026-02-04", "billed_by": SECRET_NPIS[1]},
        {"type": "HospitalAdmitted", "stay": "ZZ-STAY", "at": "2026-02-03T03:33Z"},
        {"type": "HospitalDischarged", "stay": "ZZ-STAY", "at": "2026-02-04T04:44Z"},
        {"type": "PatientDied", "date": "2026-02-27"},
        {"type": "TherapyHeld", "hold": "ZZ-HOLD", "from": "2026-02-20", "reason": "ZZ-reason"},
        {"type": "CoordinationNoted", "date": "2026-02-02", "note": "ZZ-note"},
        {"type": "AuthorizationGranted", "number": "ZZ-AUTH", "payer": "zz-payer", "codes": ["J8899"], "units": 1,
         "from": "2026-02-02", "to": "2026-02-03"},
        {"type": "ClaimSubmitted", "claim": "ZZ-CLAIM", "payer": "prairie-blue", "frequency": "1", "lines": [line]},
        {"type": "FactCorrected", "target_source": "ZZ-source", "target_id": "ZZ-9", "reason": "ZZ-why",
         "fact": {"type": "SupplyDispensed", "date": "2026-02-02", "item": "ZZ-other", "quantity": 7}},
        {"type": "FactRetracted", "target_source": "ZZ-source", "target_id": "ZZ-10", "reason": "ZZ-never"},
    ]  # fmt: skip
    return [
        {"episode": episode, "source": "ZZ-source", "id": f"ZZ-{number}", "by": "ZZ-by", "fact": fact}
        for number, fact in enumerate(facts)
    ]


def of_ep_1() -> list[dict[str, Any]]:
    """The named episode: the example, a day more, and a claim."""
    *told_before, discharge = example()
    line = {"code": "S9325", "from": "2026-02-02", "to": "2026-02-03", "units": 2, "charge_cents": 18000}
    claim = {"type": "ClaimSubmitted", "claim": "CLM-1", "payer": "prairie-blue", "frequency": "1", "lines": [line]}
    day = SERVED | {"date": "2026-02-04"}
    return [*told_before, told("2026-02-04", day), told("clm", claim, source="billing"), discharge]


def tell(house: House, lines: list[dict[str, Any]], at: str) -> None:
    ended = house.tell(*(line | {"recorded_at": at} for line in lines), options=["--keep-recorded-at"])
    assert ended.status == 0, ended


class Sender:
    """A house with a ledger and a signing key, and a receiver who only has its verifier key."""

    def __init__(self, folder: Path, name: str = "house.example/l") -> None:
        (folder / "ledger").mkdir()
        self.folder, self.house = folder, House(folder / "ledger")
        self.key = folder / "keys" / "signing.key"
        self.vkey = create_key(self.key, name)

    def bundle(self, *args: object) -> Ended:
        return self.house.run("bundle", *args, "--key", self.key)

    def members(self, *args: object) -> Members:
        out = self.folder / "made.zip"
        ended = self.bundle(*args, "--out", out, "--force")
        assert ended.status == 0, ended
        return members_in(out.read_bytes())


def members_in(data: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rows(data: bytes) -> list[Any]:
    return [json.loads(line) for line in data.splitlines()]


def as_folder(members: Members, folder: Path) -> Path:
    for name, content in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def run_alone(python: str, folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, *args], cwd=folder, env={}, capture_output=True, text=True, check=False)


def fixed(members: Members, manifest: dict[str, Any] | None = None) -> Members:
    """The members with a manifest that fits them: what a forger would do, too."""
    table = json.loads(members["manifest.json"]) if manifest is None else manifest
    rest = {name: content for name, content in members.items() if not name.startswith("manifest.")}
    return with_manifest(rest, msgspec.convert(table, BundleManifest))


Entries = list[dict[str, Any]]


def with_entries(members: Members, change: Callable[[Entries], Entries]) -> Members:
    entries = change(rows(members["entries/1.jsonl"]))
    return changed(members, "entries/1.jsonl", lines_of(entries))


def signed_anew(members: Members, change: Callable[[Entries], Entries], signer: Sender) -> Members:
    """The bundle of a ledger in which nothing but these entries ever stood, all of it signed."""
    entries = change(rows(members["entries/1.jsonl"]))
    for position, entry in enumerate(entries, 1):
        entry["position"] = position
    leaves = [leaf_of(e["position"], *(stored_in(e))) for e in entries]
    root, proofs = proofs_of(leaves, range(len(leaves)))
    for place, entry in enumerate(entries):
        entry["proof"] = [base64.b64encode(each).decode() for each in proofs[place]]
    said = replace(parse_note(members["checkpoint.txt"]).checkpoint, size=len(entries), root=root)
    manifest = json.loads(members["manifest.json"]) | {"position": len(entries)}
    note = note_of(text_of(said), sign(text_of(said), load_key(signer.key)))
    made = fixed(members | {"entries/1.jsonl": lines_of(entries), "checkpoint.txt": note}, manifest)
    text = f"episode-ledger-bundle/1 manifest\n{manifest['ledger']}\n{made['manifest.sha256'].decode().split()[0]}\n"
    return made | {"manifest.note": note_of(text, sign(text, load_key(signer.key)))}


ODD = (None, True, -1, 0, 2**70, 1.5, "", "\x00", "x", [], [[]], {}, {"type": 1}, [None], "2026-03-01T12:00:00Z")


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value at which something stands."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*way, key)
        yield from places(each, (*way, key))


def put(value: Any, way: tuple[Any, ...], odd: object) -> Any:
    """The value with something odd at a place."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in way[:-1]:
        inner = inner[key]
    inner[way[-1]] = odd
    return copy


def changed(members: Members, name: str, content: bytes) -> Members:
    return fixed(members | {name: content})


def stored_in(entry: dict[str, Any]) -> tuple[bytes, int, bytes, bytes]:
    return entry["episode"].encode(), entry["version"], entry["topic"].encode(), entry["state"].encode()
