"""Every failure that a user can meet ends as one sentence and an exit code, not as a traceback."""

from typing import Any

import typer
from typer.core import TyperGroup

from endcap.errors import EndcapError

FAILED, INTERRUPTED = 1, 130

AGAIN = {
    "fit": "run the same command again: the fit goes on from the last epoch that it finished",
    "tune": "run the same command again: the trials that are finished count, and the last one goes "
    "on from the last epoch that it finished",
    "demo": "run the same command again: the shop lives anew from the same seed, and a fit that "
    "had begun goes on from the last epoch that it finished",
    "serve": "what was acknowledged is in the store; the same command goes on from there",
}
"""What a second run of an interrupted command does, where it is more than to start anew."""


class Commands(TyperGroup):
    """The commands; what one raises on purpose becomes a sentence on stderr."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except EndcapError as error:
            raise _failed(ctx, str(error), type(error).__name__) from error
        except KeyboardInterrupt as error:
            again = AGAIN.get(
                ctx.invoked_subcommand, "nothing was written; the same command starts anew"
            )
            raise _failed(ctx, f"Stopped; {again}.", "Interrupted", INTERRUPTED) from error
        except BrokenPipeError:
            raise  # a reader such as `head` has had enough; the library leaves quietly
        except Exception as error:
            if not isinstance(error, OSError) and not is_full_disk(error):
                raise  # a mistake of ours: its traceback helps to find it
            raise _failed(ctx, _sentence(error), "FileError") from error


def is_full_disk(error: BaseException | None) -> bool:
    """Tell whether there was no room left on the disk, whichever library says so."""
    return "No space left on device" in str(error)


def reason_of(error: BaseException) -> str:
    """Say why a file could not be written or read, without numbers."""
    if is_full_disk(error):
        return "there is no room left on the disk"
    return getattr(error, "strerror", None) or str(error)


def _sentence(error: Exception) -> str:
    name = getattr(error, "filename", None)
    where = f"{name}: " if name else ""
    remedy = "free some room" if is_full_disk(error) else "mend that"
    return f"{where}{reason_of(error)}; {remedy} and run the same command again."


def _failed(ctx: Any, sentence: str, kind: str, code: int = FAILED) -> typer.Exit:
    sentence = " ".join(sentence.split())
    if ctx.meta.get("endcap.json"):
        from endcap.cli.screen import print_json

        print_json({"error": sentence, "kind": kind})
    typer.echo(sentence, err=True)
    return typer.Exit(code)
