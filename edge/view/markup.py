"""Texts of a runtime and of a stream, as HTML. Whatever was received is escaped: none of it is trusted."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from html import escape

from ..clock import SECOND_NS
from ..wire.drop_reasons import DROP_REASONS
from ..wire.messages import Prediction
from .history import Change, Percentiles, StreamHistory
from .palette import Look, looks
from .runtime import Presence, Runtime

CHIPS: dict[Presence, str] = {"live": "● live", "waiting": "◌ waiting", "gone": "✕ gone", "ended": "■ ended"}
MEANINGS = {
    "ok": "",
    "no_speech": "sound, but no voice in it",
    "silent": "digital silence: muted",
    "clipping": "too loud: cut off at full scale",
    "no_face": "frames, but no face in them",
    "dark": "nearly black: lens covered, or too little light",
    "lost": "nothing arrives",
    "off": "not asked for",
}
"""Meaning of each state, in a few words."""
GOOD_STATES, IDLE_STATES = ("ok",), ("no_speech", "no_face", "off")
DAY_NS = 86_400 * SECOND_NS
VOICES = {"person": "the main person", "other": "another person", "nobody": "nobody here", "unclear": "unclear"}
"""Owner of the voice in the stream's prediction, which is about the main person."""
LOWEST_DBFS = -80.0
MOST_SHOWN = 50
"""Number of changes in the list."""
NONE = "–"


def about_runtime(runtime: Runtime, now_s: float) -> str:
    """Return the heading of a runtime: where it is, whether it is there, and what it runs."""
    presence = runtime.presence(now_s)
    newest = next((each.newest for each in runtime.streams.values() if each.newest), None)
    facts = [f"{newest.bundle} on {newest.backend}"] if newest else []
    if "" not in runtime.nodes and runtime.nodes:
        facts = [f"{len(runtime.nodes)} nodes"]
    if runtime.stats:
        facts += [
            f"hop {runtime.stats.hop_s:g} s",
            f"busy {runtime.stats.busy:.0%}",
            f"up {duration(runtime.stats.uptime_s)}",
        ]
    return (
        f'<div class="about"><h2>{escape(runtime.address)}</h2>'
        f'<span class="chip {presence}" role="status">{CHIPS[presence]}</span>'
        f'<span class="dim">{escape(" · ".join(facts))}</span></div>{notice(runtime, presence, now_s)}'
    )


def notice(runtime: Runtime, presence: Presence, now_s: float) -> str:
    """Return what a person should know of a runtime that does not send anything; empty for one that does."""
    silence = duration(runtime.silence_s(now_s))
    keys = "are these the keys it wants" if runtime.has_keys else "does it want --keys"
    texts = {
        "live": " ".join(
            [f"No message of {name} for {duration(gone_s)}." for name, gone_s in runtime.silent_nodes(now_s).items()]
            + [f"No message from {by} for {duration(gone_s)}." for by, gone_s in runtime.silent_links(now_s).items()]
        ),
        "waiting": f"Nothing has come from there yet. Is foal-edge running there, and {keys}? "
        "The page fills as soon as something comes.",
        "gone": f"No message for {silence}: foal-edge or the way to it is gone. What stands below was its last. "
        "The page goes on by itself when it is back.",
        "ended": f"It ended in order {silence} ago. What stands below was its last. A new run appears by itself.",
    }
    text = runtime.problem or texts[presence]
    return f'<p class="notice {presence}">{escape(text)}</p>' if text else ""


def title(history: StreamHistory) -> str:
    """Return the heading of a stream: its name, its steady state and since when."""
    return f'<div class="title"><h3>{escape(history.name)}</h3>{steady_state(history)}</div>'


def steady_state(history: StreamHistory) -> str:
    """Return the steady state as a sentence."""
    steady = history.steady
    if steady is None:
        return '<p class="steady dim">no steady state yet</p>'
    newest = history.newest
    since_s = max(0, newest.mono_end - steady.mono_since) / SECOND_NS if newest else 0
    look = looks(steady.labels).get(steady.label)
    return (
        f'<p class="steady">{swatch(look) if look else ""}<strong>{escape(steady.label)}</strong> '
        f"{steady.confidence:.0%}, for {duration(since_s)}</p>"
    )


def now(history: StreamHistory) -> str:
    """Return the newest probabilities, which are the chart's key as well: its bands lie in this order."""
    prediction = history.newest
    if prediction is None:
        return '<p class="dim">No prediction yet.</p>'
    look = looks(prediction.labels)
    lines = [
        f'<tr{" class=most" if label == prediction.label else ""}><th scope="row">{swatch(look[label])}{escape(label)}'
        f'</th><td class="share">{bar(0, p)}</td><td class="number">{p:.0%}</td></tr>'
        for label, p in reversed(list(zip(prediction.labels, prediction.probs, strict=True)))
    ]
    return f"<table><caption>Newest prediction: {escape(prediction.label)}</caption>{''.join(lines)}</table>"


def evidence(history: StreamHistory) -> str:
    """Return what was heard and seen; empty before the first prediction."""
    return audio(history.newest) + video(history.newest) if history.newest else ""


def audio(prediction: Prediction) -> str:
    """Return what was heard."""
    heard = prediction.audio
    level = NONE if heard.rms_dbfs is None else f"{heard.rms_dbfs:.0f} dBFS"
    filled = 0.0 if heard.rms_dbfs is None else 1 - heard.rms_dbfs / LOWEST_DBFS
    speech = NONE if heard.speech is None else f"{heard.speech:.0%}"
    pairs = [
        ("state", state(heard.state)),
        ("level", f"{level}{bar(0, filled)}"),
        ("speech", f"{speech}{bar(0, heard.speech or 0)}"),
    ]
    if heard.voice_of is not None:
        pairs.append(("voice of", VOICES[heard.voice_of]))
    return facts("Heard", pairs)


def video(prediction: Prediction) -> str:
    """Return what was seen, and how far both agree."""
    seen, agreement = prediction.video, prediction.agreement
    counting = "the largest" if prediction.person is None else f"person {prediction.person}"
    faces = {None: "not looked for", 0: "none", 1: "1"}.get(seen.faces, f"{seen.faces}; {counting} counts")
    box = f"{seen.box.width} × {seen.box.height} pixels" if seen.box else NONE
    agreed = f"{agreement:+.2f}" if agreement is not None else NONE
    low, high = sorted((0.5, 0.5 + (agreement or 0) / 2))
    return facts(
        "Seen",
        [
            ("state", state(seen.state)),
            ("faces", faces),
            ("face", box),
            ("frames", f"{seen.frames} in the window"),
            ("agreement", f"{agreed}{bar(low, high, 'two')}"),
        ],
    )


def latency(stages: dict[str, Percentiles]) -> str:
    """Return the table of the stages."""
    lines = [
        f'<tr><th scope="row">{escape(words(stage))}</th>'
        + "".join(f'<td class="number">{ms:.1f}</td>' for ms in figures)
        + "</tr>"
        for stage, figures in stages.items()
    ]
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("stage", "last", "p50", "p99"))
    return (
        "<table><caption>Latency of the last minute, ms</caption>"
        f"<thead><tr>{heads}</tr></thead>{''.join(lines)}</table>"
    )


def drops(dropped: dict[str, int]) -> str:
    """Return the reasons for which something was dropped."""
    lines = [
        f'<tr><th scope="row">{escape(DROP_REASONS.get(reason, reason))}</th><td class="number">{count}</td></tr>'
        for reason, count in dropped.items()
        if count
    ]
    table = f"<table>{''.join(lines)}</table>" if lines else "<p>nothing</p>"
    return f"<h4>Dropped since the start</h4>{table}"


def changes(newest_last: Iterable[Change]) -> str:
    """Return the list of changes, the newest first; a keyboard can scroll it."""
    lines = [
        f"<li><time>{clock_time(change.time_ns)}</time>{escape(words(change.text))}</li>"
        for change in reversed(list(newest_last)[-MOST_SHOWN:])
    ]
    items = f'<ul class="changes" tabindex="0" aria-label="Changes">{"".join(lines)}</ul>' if lines else "<p>none</p>"
    return f"<h4>Devices and sessions</h4>{items}"


def facts(heading: str, pairs: Sequence[tuple[str, str]]) -> str:
    """Return a list of names and values, given as HTML."""
    items = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in pairs)
    return f'<div><h4>{heading}</h4><dl class="facts">{items}</dl></div>'


def state(name: str) -> str:
    """Return a modality's state with its meaning."""
    kind = "good" if name in GOOD_STATES else "dim" if name in IDLE_STATES else "bad"
    meaning = MEANINGS.get(name)
    return f'<strong class="{kind}">{escape(words(name))}</strong>{f" – {meaning}" if meaning else ""}'


def words(name: str) -> str:
    """Return a name of the wire as people write it."""
    return name.replace("_", " ")


def swatch(look: Look) -> str:
    """Return a label's patch of colour and pattern, which says nothing that its name beside it does not."""
    return f'<span class="swatch {look.pattern}" style="background-color:{look.colour}" aria-hidden="true"></span>'


def bar(low: float, high: float, kind: str = "") -> str:
    """Return a bar from one share of its width to another, beside whose number it stands."""
    low, high = min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0)
    start = f"left:{low:.0%};" if low else ""
    return f'<span class="bar {kind}" aria-hidden="true"><i style="{start}width:{high - low:.0%}"></i></span>'


def duration(seconds: float) -> str:
    """Return a duration in its two largest units at most."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def clock_time(time_ns: int) -> str:
    """Return a time of day of this machine; for a recording played fast, the time since its beginning."""
    zone = timezone.utc if time_ns < DAY_NS else None
    return datetime.fromtimestamp(time_ns / SECOND_NS, zone).strftime("%H:%M:%S")
