"""All that the page shows: a runtime for each address, and one for all proxies that bring the same node."""

import asyncio
from collections.abc import Iterator, Sequence

from ..wire.messages import Message
from .link import Link
from .runtime import Runtime


class Runtimes:
    """Runtimes in the order of their addresses; proxies of one fleet become one as soon as they bring the same node."""

    def __init__(self, links: Sequence[Link]) -> None:
        self._of = {link: Runtime(link) for link in links}
        """Runtime that gets what comes by each link."""

    def __iter__(self) -> Iterator[Runtime]:
        return iter(dict.fromkeys(self._of.values()))

    def take(self, link: Link, message: Message, now_s: float) -> None:
        """Take a message that came by a link at a time."""
        if message.node is not None:
            self._join_all(self._of[link], message)
        self._of[link].add(message, now_s)

    def _join_all(self, runtime: Runtime, message: Message) -> None:
        """Make one of a runtime and of those which have the node of its message, in the same session."""
        first, *others = [each for each in self if each is runtime or each.has_session_of(message)]
        for other in others:
            first.join(other)
            self._of.update(dict.fromkeys(other.links, first))

    async def follow(self) -> None:
        """Receive by all links, without end."""
        await asyncio.gather(*(link.follow(self.take) for link in self._of))
