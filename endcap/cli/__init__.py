"""The roof's top storey: what people type. Each file is one command, or what commands share.

A command composes `endcap.api`, prints what it did, where the result lies and what to do next, and
answers machines with `--json`. Heavy rooms load inside a command, so that `--help` costs nothing.
"""

from endcap.cli.app import app, main

__all__ = ["app", "main"]
