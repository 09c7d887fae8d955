"""The demo as a newcomer runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def environment(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", **more}


@pytest.mark.slow
def test_every_figure_of_the_story_is_right(tmp_path):
    # A real key in the environment must not be used, nor a real database touched.
    surroundings = environment(
        STRIPE_SECRET_KEY="sk_live_never", DATABASE_URL=f"sqlite:///{tmp_path / 'real.sqlite3'}"
    )

    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", "demo", "--exit"],
        cwd=tmp_path,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert re.search(r"All \d\d figures were right", done.stdout)
    assert "✗" not in done.stdout
    assert list(tmp_path.iterdir()) == []


_WRONG_FIGURE = """
import sys
from example_project.shop.demo import __main__ as demo
run = demo._run
def run_with_money_of_another_system(simulator, database, **options):
    simulator.foreign_intent(100)
    return run(simulator, database, **options)
demo._run = run_with_money_of_another_system
sys.argv = ["demo", "--exit"]
sys.exit(demo.main())
"""


@pytest.mark.slow
def test_a_wrong_figure_fails_the_demo():
    done = subprocess.run(
        [sys.executable, "-c", _WRONG_FIGURE],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    assert done.returncode == 1
    assert "kept, by Stripe: 72.90, expected 71.90" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_shop_stays_open_until_it_is_ended_and_nothing_outlives_it(ending):
    with subprocess.Popen(
        [sys.executable, ROOT / "manage.py", "demo"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as demo:
        try:
            told = ""
            deadline = time.monotonic() + 90
            while "Ctrl-C" not in told and demo.poll() is None and time.monotonic() < deadline:
                told += demo.stdout.readline()
            assert "Ctrl-C" in told, told
            (url,) = re.findall(r"Shop +(http://\S+)", told)
            with urllib.request.urlopen(url) as front_page:
                assert front_page.status == 200
            demo.send_signal(ending)
            status = demo.wait(10)
        finally:
            demo.kill()

    assert status == (0 if ending is signal.SIGINT else 128 + ending)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url)
