"""Forms of the site as a browser has them, and a small house to fill them in at."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from tests.command_line import House, example, told
from tests.in_process_site import Visitor
from tests.running_site import Answer

SHEET = "Episode,Ticket,Order,From,To,Status,Infused\nEP-1,T-1,RX-1,02/05/2026,02/06/2026,CONFIRMED,yes\n"
"""A clinic's tickets, as they are exported."""


def house_in(folder: Path) -> House:
    """Two patients' episodes of the examples; another per diem of the second was billed by somebody else."""
    house = House(folder)
    assert house.tell(*example(), *example("EP-2", "P-2")).status == 0
    other = {"type": "ServiceBilledSeparately", "code": "S9326", "from": "2026-02-02", "billed_by": "1245319599"}
    assert house.tell(told("s9326", other, source="billing", episode="EP-2")).status == 0
    return house


def events(house: House, episode: str = "EP-1") -> list[dict[str, Any]]:
    """What is recorded of an episode."""
    return house.run("replay", episode).rows


class Form:
    """A form as a browser has it: its fields with what stands in them, to be sent with one of its buttons."""

    def __init__(self, visitor: Visitor, answer: Answer) -> None:
        self.visitor, self.answer = visitor, answer
        found = re.search(r'<form class="act" method="post" action="([^"]*)"', answer.text)
        assert found, text_of(answer)
        self.action = found[1]
        after = answer.text[found.start() :]
        self.fields = {
            name: html.unescape(value)
            for name, value in re.findall(r'<input [^>]*?name="([^"]*)"(?:[^>]*? value="([^"]*)")?', after)
        }
        for name, options in re.findall(r'<select [^>]*name="([^"]*)".*?>(.*?)</select>', after, re.DOTALL):
            chosen = re.search(r'<option value="([^"]*)" selected', options)
            self.fields[name] = chosen[1] if chosen else ""

    def send(self, step: str = "show", **changes: str) -> Answer:
        fields = self.fields | {name.replace("__", "."): value for name, value in changes.items()}
        return self.visitor.post(self.action, fields, step=step)

    def shown(self, **changes: str) -> Form:
        """The page of its effect, whose form records it."""
        answer = self.send(**changes)
        assert answer.status == 200, text_of(answer)
        assert "Nothing is recorded yet" in answer.text
        return Form(self.visitor, answer)


def hidden_of(page: Answer) -> dict[str, str]:
    """What the last form of a page carries unseen, with which it is recorded once."""
    return dict(re.findall(r'<input type="hidden" name="(id|seen)" value="([^"]*)"', page.text))


def text_of(answer: Answer) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def form_at(visitor: Visitor, path: str) -> Form:
    answer = visitor.get(path)
    assert answer.status == 200, text_of(answer)
    return Form(visitor, answer)


def multipart(form: Form, files: dict[str, tuple[str, str]], **changes: str) -> Answer:
    """A form with files, as a browser sends it."""
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'
        for name, value in (form.fields | {"step": "show"} | changes).items()
        if name not in ("file", "own") or len(value) == 32
    ]
    parts += [
        f'Content-Disposition: form-data; name="{name}"; filename="{file}"\r\nContent-Type: text/csv\r\n\r\n{content}'
        for name, (file, content) in files.items()
    ]
    body = "".join(f"--x\r\n{part}\r\n" for part in parts) + "--x--\r\n"
    return form.visitor.ask("POST", form.action, body, content_type="multipart/form-data; boundary=x")
