"""The program itself: what it costs to start, how it ends."""

import subprocess
import sys

from endcap import __version__
from endcap.cli.progress import _over_rounds, progress

HEAVY = ("torch", "polars", "numpy", "sklearn", "onnxruntime")


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom endcap.cli import main\nsys.argv[1:] = ['--help']\n"
        "try:\n    main()\nexcept SystemExit:\n"
        f"    print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    for command in ("demo", "world", "inspect", "fit", "evaluate", "recommend", "why"):
        assert command in done.stdout


def test_the_version_is_told(endcap):
    result = endcap("--version")
    assert (result.exit_code, result.stdout) == (0, f"endcap {__version__}\n")


def test_an_unknown_command_is_a_matter_of_usage(endcap):
    result = endcap("conquer")
    assert result.exit_code == 2
    assert "No such command 'conquer'" in result.stderr


def test_a_reader_that_had_enough_is_left_quietly(tmp_path):
    """A pipe whose reader is gone: no traceback, no sentence."""
    code = "from endcap.cli import main; main()"
    command = f"{sys.executable} -c '{code}' --help | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_stages_are_told_on_stderr_once(capsys):
    with progress() as report:
        for step in range(3):
            report("epoch 1 of 2", step + 1, 3)
        report("calibrating", 0, 1)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == ["epoch 1 of 2 ...", "calibrating ..."]


def test_a_bar_counts_the_steps_of_all_epochs():
    assert _over_rounds("epoch 2 of 6", 3, 10) == (13, 60)
    assert _over_rounds("competing for 2 days", 3, 5) == (3, 5)
