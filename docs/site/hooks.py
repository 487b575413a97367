"""Hooks of mkdocs: links of a page to files of the repository outside docs/ become their names, since the site has no such page."""

import pathlib
import re

DOCS = pathlib.Path(__file__).resolve().parents[1]
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(((?:\.\./)+[^)#\s]*|[A-Za-z][\w/.-]*\.(?:py|cpp|hpp|json|md))(#[^)]*)?\)")


def on_page_markdown(markdown, page, **_):
    if not page.file.src_uri.endswith(".md"):
        return markdown
    here = (DOCS / page.file.src_uri).parent

    def named(found):
        place = (here / found[2]).resolve()
        if place.is_relative_to(DOCS):
            return found[0]
        inside = place.relative_to(DOCS.parent) if place.is_relative_to(DOCS.parent) else pathlib.Path(found[2])
        return f"{found[1]} (`{inside}`)"

    return LINK.sub(named, markdown)
