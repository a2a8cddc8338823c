"""Histories made of messages, and what a person reads in the HTML that is made of them."""

from html.parser import HTMLParser

from edge.view.history import StreamHistory

EVIL = "<img src=x onerror=alert(1)>&"


class Text(HTMLParser):
    """Text and tags of a piece of HTML; the tags have to be balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.open, self.tags = "", [], []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("img", "br"):
            self.open.append(tag)
        self.tags.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def said(html: str) -> str:
    return " ".join(Text(html).text.split())


def of(*messages) -> StreamHistory:
    history = StreamHistory("cam1")
    for message in messages:
        history.add(message)
    return history
