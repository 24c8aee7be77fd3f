"""How a person is told that something went wrong: one sentence on standard error."""

from __future__ import annotations

import click


def complain(sentence: str) -> None:
    """Print `sentence` on standard error as `Error: ...`, on one line."""
    text = " ".join(sentence.split())
    if text.split(" ", 1)[0].isalpha():  # a file name at the beginning keeps its case
        text = text[:1].upper() + text[1:]
    click.echo(f"Error: {text}", err=True)
