"""What a shell sees: a real `manage.py`, its exit status and its two streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from medusa_payments.testing.stripe_simulator import StripeSimulator

MANAGE = Path(__file__).resolve().parents[2] / "manage.py"


@pytest.fixture
def shell(database_url: str, simulator: StripeSimulator, tmp_path: Path) -> Any:
    """Run `manage.py` from another directory."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(MANAGE), *arguments],
            cwd=tmp_path,
            env={
                **os.environ,
                "DATABASE_URL": database_url,
                "STRIPE_API_BASE": simulator.url,
                "STRIPE_READ_TIMEOUT": "1",
                "STRIPE_TOTAL_BUDGET": "2",
            },
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    return run


@pytest.mark.slow
def test_done_is_0_refused_is_1_and_not_known_yet_is_3(
    shell: Any, simulator: StripeSimulator
) -> None:
    done = shell("create_payment_collection", "10", "eur", "--json")
    collection = json.loads(done.stdout.splitlines()[-1])["id"]
    refused = shell("capture_payment", "pay_nobody", "--amount", "1")
    simulator.fault("hang", "payment_intents.create", times=None)
    unknown = shell("create_payment_session", collection, "--json")

    assert (done.returncode, refused.returncode, unknown.returncode) == (0, 1, 3)
    assert refused.stdout == ""
    assert "Payment id not found: pay_nobody" in refused.stderr
    assert json.loads(unknown.stdout.splitlines()[-1])["indeterminate"] is True
    assert "did not answer" in unknown.stderr
