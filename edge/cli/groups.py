"""Groups whose commands are imported when they are called, with help under headings, and examples of use."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import click

from .opencv import check_opencv

Examples = Sequence[tuple[str, str]]
"""Command lines, `foal-edge` left out, each with the text that says what it does."""


class LazyCommand(NamedTuple):
    """Command NAME that the module `edge.cli.NAME` defines as `NAME_command`."""

    summary: str
    """First sentence of the command's help, which a list of commands shows without importing it."""
    needs_opencv: bool = True
    """True if the module imports OpenCV."""


class Command(click.Command):
    """Command whose help ends with examples."""

    def __init__(self, *arguments: Any, examples: Examples = (), **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        write_examples(self.examples, formatter)


class Group(click.Group):
    """Group of commands and of `sections` of lazy ones, whose help ends with examples.

    `headings` are those of the options, with the names of their parameters; the other options come last.
    """

    command_class = Command

    def __init__(
        self,
        *arguments: Any,
        examples: Examples = (),
        sections: Mapping[str, Mapping[str, LazyCommand]] | None = None,
        headings: Mapping[str, Sequence[str]] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(*arguments, **settings)
        self.examples, self._sections, self._headings = examples, sections or {}, headings or {}
        self._lazy = {name: lazy for section in self._sections.values() for name, lazy in section.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, section by section."""
        return [*self._lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported now if it is a lazy one; None if there is none of that name."""
        if (lazy := self._lazy.get(cmd_name)) is None:
            return super().get_command(ctx, cmd_name)
        if lazy.needs_opencv:
            check_opencv()
        command: click.Command = getattr(import_module(f".{cmd_name}", __package__), f"{cmd_name}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; an error names those that a misspelt name is close to, or the option for a recording."""
        from difflib import get_close_matches  # here, since few command lines are wrong

        name, known = args[0], self.list_commands(ctx)
        is_unknown = name not in known and not ctx.resilient_parsing and not name.startswith("-")
        if is_unknown and (similar := get_close_matches(name, known)):
            ctx.fail(f"No such command {name!r}. Did you mean {' or '.join(map(repr, similar))}?")
        takes_file = any("--file" in parameter.opts for parameter in self.get_params(ctx))
        if is_unknown and takes_file and Path(name).exists():
            annotate = f"to annotate {'it' if Path(name).is_file() else 'what is in it'}, say annotate {name} -o OUT"
            ctx.fail(f"No such command {name!r}. {describe_path(Path(name), annotate)}")
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings, then the commands."""
        records = {str(parameter.name): parameter.get_help_record(ctx) for parameter in self.get_params(ctx)}
        for heading, names in self._all_headings(list(records)):
            rows = [row for name in names if (row := records[name]) is not None]
            with formatter.section(heading):
                formatter.write_dl(rows)
        self.format_commands(ctx, formatter)

    def _all_headings(self, names: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
        yield from self._headings.items()
        named = {name for heading in self._headings.values() for name in heading}
        yield "Other options" if named else "Options", [name for name in names if name not in named]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, section by section; none is imported for that."""
        width = max(map(len, self.list_commands(ctx)), default=0)
        for title, section in self._sections.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), lazy.summary) for name, lazy in section.items()])
        if not self._sections:
            super().format_commands(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        write_examples(self.examples, formatter)


def describe_path(path: Path, annotate: str) -> str:
    """Return what may have been meant by a path in place of a command; `annotate` tells how to annotate it."""
    from mimetypes import guess_type  # here, since few command lines are wrong

    if path.is_dir():
        return f"It is a folder: {annotate}"
    if (guess_type(path.name)[0] or "").startswith("image/"):
        return "It is an image: foal-edge score predicts labelled images, Recognizer.predict others (docs/python.md)"
    return f"It is a file: to play it, say --file {path}; {annotate}"


def write_examples(examples: Examples, formatter: click.HelpFormatter) -> None:
    """Write each example with its text below."""
    if examples:
        with formatter.section("Examples"):
            for line, text in examples:
                formatter.write(f"{'':>{formatter.current_indent}}foal-edge{' ' if line else ''}{line}\n")
                with formatter.indentation():
                    formatter.write_text(text)
