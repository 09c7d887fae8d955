"""The installation steps of README.md, followed word for word in a project of Django's own making.

The code comes from README.md, so that it and what is tested cannot drift apart.
"""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
import requests

from medusa_payments import signals
from medusa_payments.providers.stripe.options import StripeOptions
from medusa_payments.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
_SECTION = re.compile(r"^## Install it in your project\n(.*?)^## ", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"# (\S+\.py)(.*)\n")
_SECRETS = {
    "STRIPE_SECRET_KEY": "sk_test_of_nobody",
    "STRIPE_WEBHOOK_SECRET": "whsec_of_nobody",
    "PAYMENTS_SECRET_KEY": "sk_of_my_shop",
}
_PAID = "from shop.receivers import PAID; print(sorted(PAID))"


@dataclass(frozen=True)
class Project:
    folder: Path
    python: str
    search_path: str = ""

    def run(self, *arguments: str, typed: str | None = None) -> str:
        done = subprocess.run(
            [self.python, *arguments],
            cwd=self.folder,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}\n{done.stdout}{done.stderr}"
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {**kept, **_SECRETS, "PYTHONPATH": self.search_path}

    def follow(self, blocks: list[tuple[str, str]]) -> None:
        for language, code in blocks:
            if language == "python":
                self._write(code)

    def _write(self, code: str) -> None:
        named = _NAMED.match(code)
        assert named, f"a block that says no file:\n{code}"
        name, place = named.groups()
        path = self.folder / name
        if name in ("settings.py", "urls.py"):
            path = self.folder / "project" / name
        if "at the end" in place:
            code = path.read_text() + "\n" + code
        path.write_text(code)


def installation_blocks() -> list[tuple[str, str]]:
    section = _SECTION.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert section
    return _BLOCK.findall(section[1])


def commands() -> list[str]:
    return [
        line
        for language, code in installation_blocks()
        if language == "bash"
        for line in code.splitlines()
    ]


def follow_the_steps(project: Project) -> None:
    project.folder.mkdir(exist_ok=True)
    project.run("-m", "django", "startproject", "project", ".")
    project.run("manage.py", "startapp", "shop")
    project.follow(installation_blocks())
    for command in commands():
        words = shlex.split(command)
        assert words[0] == "python"
        if words[1] == "manage.py":
            project.run(*words[1:])
    project.run("manage.py", "check", "--fail-level=WARNING")


@contextmanager
def server_of(project: Project) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [project.python, "manage.py", "runserver", "--noreload", address]
    with subprocess.Popen(command, cwd=project.folder, env=project.environment) as server:
        try:
            _wait_for(f"http://{address}")
            yield f"http://{address}"
        finally:
            server.kill()


def _wait_for(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(url)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"{url} does not answer")


def post(url: str, body: dict[str, Any], **options: Any) -> Any:
    answer = requests.post(url, json=body, timeout=30, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def pay_by_python(project: Project) -> None:
    script = (project.folder / "first_payment.py").read_text()
    done = project.run("manage.py", "shell", typed=script + "\n" + _PAID + "\n")

    assert "['cart_2']" in done
    assert "1 trails" in project.run("manage.py", "verify_audit_trail")
    project.run("manage.py", "reconcile_payments")


def pay_by_http(project: Project) -> None:
    buyer = {"headers": {"x-publishable-api-key": "pk_my_shop"}}
    shop = {"auth": (_SECRETS["PAYMENTS_SECRET_KEY"], "")}
    with server_of(project) as url:
        made = post(f"{url}/api/store/payment-collections", {"cart_id": "cart_1"}, **buyer)
        collection = made["payment_collection"]
        started = post(
            f"{url}/api/store/payment-collections/{collection['id']}/payment-sessions",
            {"provider_id": "pp_system_default"},
            **buyer,
        )
        (session,) = started["payment_collection"]["payment_sessions"]
        project.run("manage.py", "authorize_payment_session", session["id"])
        listed = requests.get(
            f"{url}/api/admin/payments",
            params={"payment_session_id": session["id"]},
            timeout=30,
            **shop,
        )
        (payment,) = listed.json()["payments"]
        captured = post(f"{url}/api/admin/payments/{payment['id']}/capture", {}, **shop)

    assert collection["amount"] == 100.5
    assert captured["payment"]["captures"][0]["amount"] == 100.5


@pytest.mark.slow
def test_steps_of_the_readme_end_in_a_payment(tmp_path):
    project = Project(tmp_path / "site", sys.executable, search_path=str(ROOT))

    follow_the_steps(project)

    pay_by_python(project)
    pay_by_http(project)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_steps_of_the_readme_work_in_a_fresh_environment(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    project = Project(tmp_path / "site", str(tmp_path / "venv" / "bin" / "python"))
    (install,) = [command for command in commands() if "pip install" in command]
    words = shlex.split(install.replace("/path/to/medusa_payments", str(ROOT)))
    subprocess.run([project.python, *words[1:], "-q"], check=True, cwd=tmp_path)

    follow_the_steps(project)

    pay_by_python(project)
    pay_by_http(project)


def test_first_two_blocks_of_the_readme_are_the_demo_and_the_tests():
    blocks = _BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))

    (first, demo), (second, tests) = blocks[:2]
    assert (first, second) == ("bash", "bash")
    assert demo.strip().endswith("'.[demo]' && .venv/bin/python manage.py demo")
    assert tests.strip().endswith("'.[test]' && .venv/bin/python -m pytest")
    assert demo.count("\n") == tests.count("\n") == 1


_LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize(
    "page", ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
)
def test_no_link_of_the_documentation_is_broken(page):
    path = ROOT / page
    links = [link for link in _LINK.findall(path.read_text(encoding="utf-8")) if "://" not in link]

    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_setting_and_option_is_documented():
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    names = {each.name for each in fields(Settings)}
    options = {each.name.upper() for each in fields(StripeOptions)}

    assert [name for name in sorted(names | options) if f"| `{name}` |" not in page] == []


def test_every_signal_is_documented():
    page = (ROOT / "docs" / "signals.md").read_text(encoding="utf-8")

    assert [name for name in signals.FOR_THE_SHOP if f"| `{name}` |" not in page] == []
