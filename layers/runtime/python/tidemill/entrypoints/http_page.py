"""A page for a person. It has no script and nothing from elsewhere, and is neither kept nor passed on."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from html import escape
from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

HTML_TYPE: Final = "text/html; charset=utf-8"
_STYLE: Final = """
:root{color-scheme:light dark}
*{box-sizing:border-box}
body{margin:0;font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:36rem;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.5rem;line-height:1.3;margin:.5rem 0 1rem}
fieldset,.field{border:0;margin:0 0 1.25rem;padding:0;min-width:0}
legend,.field>label{display:block;font-weight:600;padding:0;margin:0 0 .25rem}
.pick{display:flex;align-items:center;gap:.75rem;min-height:2.75rem;padding:.25rem .75rem;
border:1px solid GrayText;border-radius:.5rem;margin:.4rem 0;cursor:pointer}
.pick input{width:1.25rem;height:1.25rem;margin:0;flex:none}
input:not([type=radio]),select,textarea{display:block;width:100%;min-height:2.75rem;padding:.5rem .75rem;
font:inherit;border:1px solid GrayText;border-radius:.5rem}
button{font:inherit;font-weight:600;min-height:3rem;padding:.5rem 1.5rem;border:0;border-radius:.5rem;
background:#0b57d0;color:#fff;cursor:pointer}
:focus-visible{outline:3px solid #e07a00;outline-offset:2px}
.hint{margin:0 0 .4rem;opacity:.8}
.wrong{margin:0 0 .4rem;font-weight:600;color:#b3261e}
@media(prefers-color-scheme:dark){.wrong{color:#ff9a91}}
.trouble{border-left:.3rem solid #b3261e;padding:.5rem 1rem;margin:0 0 1.5rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.4rem 1.25rem;margin:1.5rem 0;
padding-top:1rem;border-top:1px solid GrayText}
dt{opacity:.8}
dd{margin:0;white-space:pre-wrap}
@media(max-width:26rem){dl{grid-template-columns:1fr;gap:0}dd{margin:0 0 .75rem}button{width:100%}}
"""
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
# CSP Level 3: nothing is loaded and nothing runs; the one style is known by its hash; the form goes back to where it
# came from, and nobody may show the page in a frame, where a click could be stolen.
PAGE_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    # The address is the credential: no cache keeps it, no other site and no search engine hears of it.
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Vary": "Accept",
}


def wants_page(event: APIGatewayProxyEventV2) -> bool:
    """Whether the caller reads HTML rather than JSON: browsers say so, programs that say nothing do not."""
    shares = dict(map(_share, event.headers.get("accept", "").lower().split(",")))
    html = shares.get("text/html", 0.0)
    return html > 0 and html >= shares.get("application/json", 0.0)


def page_response(status: int, page: str, headers: Mapping[str, str] | None = None) -> Response[str]:
    """A response with this page."""
    return Response(status, HTML_TYPE, page, {**PAGE_HEADERS, **(headers or {})})


def page(title: str, *parts: str) -> str:
    """The page. `title` is text; `parts` are HTML, of which nothing may come from outside unescaped."""
    body = "\n".join(part for part in parts if part)
    text = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n"
        "</html>\n"
    )
    # Half a character has no UTF-8, and Lambda would fail on it.
    return text.encode("utf-8", "replace").decode("utf-8")


def heading(text: str) -> str:
    """The one heading. What people wrote may be in a script that runs the other way."""
    return f'<h1 dir="auto">{escape(text)}</h1>'


def paragraph(text: str) -> str:
    """A paragraph."""
    return f'<p dir="auto">{escape(text)}</p>'


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Names and values."""
    listed = "\n".join(f'<dt>{escape(name)}</dt><dd dir="auto">{escape(value)}</dd>' for name, value in rows)
    return f"<dl>\n{listed}\n</dl>" if listed else ""


def _share(media_range: str) -> tuple[str, float]:
    media_type, *parameters = (part.strip() for part in media_range.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return media_type, float(value)
            except ValueError:
                return media_type, 0.0
    return media_type, 1.0
