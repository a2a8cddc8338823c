"""Passwords and tokens in what the user named: hidden wherever a source is spoken of.

What may be a secret is hidden even where it might be none: everything before an address's host, the value of every
parameter that is not known to be harmless, the properties of a GStreamer string that tell who somebody is.
"""

import re

HIDDEN = "***"

SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*"
ADDRESS = re.compile(rf"(?<![\w:/@.%+-])({SCHEME}://?)")
"""Where an address begins, or what a path has made of it; not inside of another, whose password may hold anything."""
LOCAL = ("ipc:", "inproc:", "file:")
"""Without a host, so that nobody signs in."""
NO_USER = re.compile(r"(?:\d{1,3}(?:\.\d{1,3}){3}|localhost|\[[0-9a-fA-F:.%\w-]*\])(?::\d*)?(?=[/?#]|$)")
"""An address that begins with such a host has nothing before it: a later @ belongs to its path."""
PARAMETER = re.compile(r"([^=&;?#/\s\"'<>]+)=([^&;\"'<>]*?)(?=[.,:)]*(?:[&;\"'<>]|$))")
NAMELESS = re.compile(rf"(?<={re.escape(HIDDEN)})(?:[&;][^=&;?/]+)+(?=[&;]|$)")
"""What follows a hidden value without a name of its own: a part of it."""
WORD = re.compile(r"[\w.:*-]{0,20}")
NUMBER = re.compile(r"\d{1,5}(?:\.(?:sdp|cgi|mp4|jpg|mjpg))?")
HARMLESS = re.compile(
    r"action|audio|camera|chn|channel|cmd|codec|compression|encoding|fifo_size|format|fps|framerate|height|latency"
    r"|listen|mode|overrun_nonfatal|pkt_size|proto|profile|quality|rate|resolution|rotation|size|stream|streamtype"
    r"|subtype|timeout|transport|transportmode|type|unicast|video|width",
    re.IGNORECASE,
)
"""Names of parameters whose values are told where they are short words; any other's only where it is a number."""
TELLING = re.compile(
    r"user|login|account|pass|pwd|pw\b|psw|pin|secret|token|key|auth|cred|sig|session|sid|streamid|jwt|ticket|code"
    r"|hash|cookie|header|cert",
    re.IGNORECASE,
)
PROPERTY = re.compile(
    r"""(?<![\w-])((?:[\w:-]*[-_:])?(?:user-?id|user-?name|user|pass(?:word|wd|phrase)?|pwd?|pw|secret|token|key"""
    r"""|pbkey(?:len)?|cookies?|streamid|(?:extra-)?headers?|auth(?:entication)?))(\s*=\s*)"""
    r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?:\\.|[^\s\\"'!])+)""",
    re.IGNORECASE,
)
"""Of a GStreamer element, or of text that is one."""


def without_secrets(spec: str) -> str:
    """What the user named (an address, a GStreamer string, a path), as it may be said in messages and recordings."""
    begin = ADDRESS.match(spec)
    if "!" in spec and not begin:
        return censored(spec)
    return begin[1] + hide(begin[1], spec[begin.end() :]) if begin else spec


def censored(text: str) -> str:
    """Any text, the secrets of all the addresses and GStreamer properties in it hidden; what is hidden stays so."""
    return "\n".join(map(censor_line, text.split("\n")))


def censor_line(line: str) -> str:
    """A line: each address reaches to the next one, and its parameters to white space."""
    first, *rest = ADDRESS.split(line)
    pairs = zip(rest[::2], rest[1::2], strict=True)
    return hide_properties(first) + "".join(scheme + hide(scheme, after, is_text=True) for scheme, after in pairs)


def hide_properties(text: str) -> str:
    """Values of GStreamer's properties."""
    return PROPERTY.sub(lambda found: f"{found[1]}{found[2]}{HIDDEN}", text)


def hide(scheme: str, after: str, *, is_text: bool = False) -> str:
    """What comes after `scheme`: its address, and where it stands in a text, the text up to the next address."""
    if scheme.lower().startswith(LOCAL):
        return after
    before, at, rest = ("", "", after) if NO_USER.match(after) else after.rpartition("@")
    if at and not (is_text and before == HIDDEN):
        before = HIDDEN
    space = re.search(r"[\s\"'<>]", rest) if is_text else None
    end = space.start() if space else len(rest)
    return before + at + hide_parameters(rest[:end]) + hide_properties(rest[end:])


def hide_parameters(address: str) -> str:
    """Values in an address's path, query and fragment; a query without names is one value."""
    path, mark, query = address.partition("?")
    if query.strip(".,;:)") and "=" not in query and not WORD.fullmatch(query):
        query = HIDDEN
    return mark.join(NAMELESS.sub("", PARAMETER.sub(hide_value, part)) for part in (path, query))


def hide_value(parameter: "re.Match[str]") -> str:
    """`name=value`, the value hidden unless it is known to be harmless."""
    name, value = parameter.groups()
    is_word = HARMLESS.fullmatch(name) and WORD.fullmatch(value)
    is_number = NUMBER.fullmatch(value) and not TELLING.search(name)
    return parameter[0] if is_word or is_number else f"{name}={HIDDEN}"
