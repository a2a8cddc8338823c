"""Redaction of passwords and tokens in the addresses and GStreamer strings of sources.

Whatever may be a secret is hidden: everything before the host of an address, the value of every parameter that is not
known to be harmless, the properties of a GStreamer string that identify a user.
"""

import re

HIDDEN = "***"

SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*"
ADDRESS = re.compile(rf"(?<![\w:/@.%+-])({SCHEME}://?)")
"""Beginning of an address, or what a path has made of it; not inside another, whose password may hold anything."""
LOCAL = ("ipc:", "inproc:", "file:")
"""Schemes without a host, so that nobody signs in."""
NO_USER = re.compile(r"(?:\d{1,3}(?:\.\d{1,3}){3}|localhost|\[[0-9a-fA-F:.%\w-]*\])(?::\d*)?(?=[/?#]|$)")
"""Host at the beginning of an address, which then names no user: a later @ belongs to its path."""
PARAMETER = re.compile(r"([^=&;?#/\s\"'<>]+)=([^&;\"'<>]*?)(?=[.,:)]*(?:[&;\"'<>]|$))")
NAMELESS = re.compile(rf"(?<={re.escape(HIDDEN)})(?:[&;][^=&;?/]+)+(?=[&;]|$)")
"""Text without a name after a hidden value, which is a part of it."""
WORD = re.compile(r"[\w.:*-]{0,20}")
NUMBER = re.compile(r"\d{1,5}(?:\.(?:sdp|cgi|mp4|jpg|mjpg))?")
HARMLESS = re.compile(
    r"action|audio|camera|chn|channel|cmd|codec|compression|encoding|fifo_size|format|fps|framerate|height|latency"
    r"|listen|mode|overrun_nonfatal|pkt_size|proto|profile|quality|rate|resolution|rotation|size|stream|streamtype"
    r"|subtype|timeout|transport|transportmode|type|unicast|video|width",
    re.IGNORECASE,
)
"""Names of parameters whose values are shown if they are short words; all other values only if they are numbers."""
PLACEHOLDER = re.compile(r"(?:ADDRESS|DIR|FILE)[.,;:)]*")
"""Word of a remedy, like `keys=DIR`, which stands for what a user is to give."""
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
"""Property of a GStreamer element, or text like one."""


def without_secrets(spec: str) -> str:
    """Return a source as the user named it (an address, a GStreamer string, a path), without its secrets."""
    begin = ADDRESS.match(spec)
    if "!" in spec and not begin:
        return censored(spec)
    return begin[1] + hide(begin[1], spec[begin.end() :]) if begin else spec


def censored(text: str) -> str:
    """Return any text without the secrets of its addresses and GStreamer properties; hidden values stay hidden."""
    return "\n".join(map(censor_line, text.split("\n")))


def censor_line(line: str) -> str:
    """Return a line without secrets: each address reaches to the next one, its parameters to white space."""
    first, *rest = ADDRESS.split(line)
    pairs = zip(rest[::2], rest[1::2], strict=True)
    return hide_properties(first) + "".join(scheme + hide(scheme, after, is_text=True) for scheme, after in pairs)


def hide_properties(text: str) -> str:
    """Return a text without the values of GStreamer properties that identify a user."""
    return PROPERTY.sub(
        lambda found: found[0] if PLACEHOLDER.fullmatch(found[3]) else f"{found[1]}{found[2]}{HIDDEN}", text
    )


def hide(scheme: str, after: str, *, is_text: bool = False) -> str:
    """Return the address after `scheme` without its secrets; with `is_text` also the text up to the next address."""
    if scheme.lower().startswith(LOCAL):
        return after
    before, at, rest = ("", "", after) if NO_USER.match(after) else after.rpartition("@")
    if at and not (is_text and before == HIDDEN):
        before = HIDDEN
    space = re.search(r"[\s\"'<>]", rest) if is_text else None
    end = space.start() if space else len(rest)
    return before + at + hide_parameters(rest[:end]) + hide_properties(rest[end:])


def hide_parameters(address: str) -> str:
    """Return an address without secret values in path, query and fragment; a query without names is one value."""
    path, mark, query = address.partition("?")
    if query.strip(".,;:)") and "=" not in query and not WORD.fullmatch(query):
        query = HIDDEN
    return mark.join(NAMELESS.sub("", PARAMETER.sub(hide_value, part)) for part in (path, query))


def hide_value(parameter: "re.Match[str]") -> str:
    """Return `name=value`, the value hidden unless it is known to be harmless."""
    name, value = parameter.groups()
    is_word = PLACEHOLDER.fullmatch(value) or (HARMLESS.fullmatch(name) and WORD.fullmatch(value))
    is_number = NUMBER.fullmatch(value) and not TELLING.search(name)
    return parameter[0] if is_word or is_number else f"{name}={HIDDEN}"
