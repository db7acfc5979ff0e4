"""An HTML file that has to stand on its own, taken apart."""

import re
from html.parser import HTMLParser
from itertools import pairwise

LARGEST = 3_000_000
VOID = {"meta", "img", "br", "link"}


class Page(HTMLParser):
    """An HTML file: its headings, links, images, and whether its elements are closed."""

    def __init__(self, path):
        super().__init__()
        self.source = path.read_text()
        self.headings, self.ids, self.links, self.fetched, self.tables = [], [], [], [], []
        self.texts, self.stack = [], []
        self.feed(self.source)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag, attributes):
        fields = dict(attributes)
        if tag not in VOID:
            self.stack.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append([int(tag[1]), ""])
        if "id" in fields:
            self.ids.append(fields["id"])
        if tag == "a":
            self.links.append(fields["href"])
        if tag == "th":
            assert fields["scope"] in ("row", "col")
        if tag == "img":
            assert fields["alt"]
        self.fetched += [fields[name] for name in ("src", "href") if name in fields and tag != "a"]

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.stack.pop() == tag

    def handle_data(self, text):
        if "style" not in self.stack:
            self.texts.append(text)
        if self.stack and re.fullmatch("h[1-6]", self.stack[-1]):
            self.headings[-1][1] += text

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def check_whole(path):
    """It fetches nothing, is small enough, its headings are in order, its links lead somewhere."""
    page = Page(path)
    assert path.stat().st_size < LARGEST
    assert {url[:5] for url in page.fetched} <= {"data:", *(f"#{i}"[:5] for i in page.ids)}
    assert not re.search(r"https?://|@import|url\((?!#)|<script", page.source)
    assert "default-src 'none'" in page.source
    levels = [level for level, _ in page.headings]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    return page
