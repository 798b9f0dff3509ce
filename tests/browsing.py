"""A page as a browser without scripts reads it: what it says, what its form asks, and what it sends."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

# As Firefox says it.
ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FORM = "application/x-www-form-urlencoded"
BROWSER = {"accept": ACCEPT}
SUBMITS = {"accept": ACCEPT, "content-type": FORM}

_VOID = {"meta", "input"}
_CONTROLS = {"input", "select", "textarea"}


@dataclass
class Control:
    """One that is filled in. `options`: of a menu, those that can be chosen."""

    tag: str
    attributes: dict[str, Any]
    text: str = ""
    options: list[dict[str, Any]] = field(default_factory=list)


class Page(HTMLParser):
    """What is on a page. Refuses one that is no well-formed tree."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.title = self.heading = self.text = ""
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.controls: list[Control] = []
        self._open: list[str] = []
        self._labelled: set[str] = set()
        self.feed(html)
        self.close()
        assert self._open == [], self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: True if value is None else value for name, value in attrs}
        assert len(attributes) == len(attrs), f"an attribute twice in {tag}: {attrs}"
        self.tags.append((tag, attributes))
        if tag in _CONTROLS:
            self.controls.append(Control(tag, attributes))
            if "label" in self._open:
                self._labelled.add(attributes["name"])
        if tag == "option":
            self.controls[-1].options.append(attributes)
        if tag == "label" and "for" in attributes:
            self._labelled.add(str(attributes["for"]))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        match self._open:
            case [*_, "title"]:
                self.title += data
            case [*_, "h1"]:
                self.heading += data
                self.text += data
            case [*_, "textarea"]:
                self.controls[-1].text += data
            case [*_, "style"]:
                pass
            case _:
                self.text += data

    def check(self) -> None:
        """Refuse what somebody could stumble over, or what loads or runs anything."""
        tags = [tag for tag, _ in self.tags]
        assert self.html.startswith("<!doctype html>")
        assert ("html", {"lang": "en"}) in self.tags
        assert tags.count("h1") == tags.count("title") == tags.count("main") == 1
        assert self.title.strip()
        assert not {"script", "img", "link", "iframe", "object", "embed", "base", "a"} & set(tags)
        for tag, attributes in self.tags:
            assert not {name for name in attributes if name.startswith("on") or name in {"src", "href", "style"}}, tag
        ids = [attributes["id"] for _, attributes in self.tags if "id" in attributes]
        assert len(set(ids)) == len(ids)
        for control in self.controls:
            assert control.attributes["name"] in self._labelled, control
            for described in str(control.attributes.get("aria-describedby", "")).split():
                assert described in ids

    @property
    def fields(self) -> set[str]:
        """The names that its form asks for."""
        return {control.attributes["name"] for control in self.controls}

    def control(self, name: str) -> Control:
        """The first of this name."""
        return next(one for one in self.controls if one.attributes["name"] == name)

    def filled_in(self, **entries: str) -> str:
        """The body that a browser sends if somebody fills in these (dots as `__`), and leaves the rest as it stands."""
        wanted = {name.replace("__", "."): value for name, value in entries.items()}
        assert set(wanted) <= self.fields, (wanted, self.fields)
        sent: dict[str, str] = {}
        for control in self.controls:
            name = control.attributes["name"]
            if control.attributes.get("type") == "radio":
                if wanted.get(name, "" if "checked" not in control.attributes else None) in (
                    control.attributes["value"],
                    None,
                ):
                    sent[name] = control.attributes["value"]
            elif control.tag == "select":
                chosen = [one["value"] for one in control.options if "selected" in one] or [control.options[0]["value"]]
                sent[name] = wanted.get(name, chosen[0])
                assert sent[name] in [one["value"] for one in control.options]
            else:
                standing = control.text.removeprefix("\n") or str(control.attributes.get("value", ""))
                sent[name] = wanted.get(name, standing).replace("\n", "\r\n")
        return urlencode(sent)
