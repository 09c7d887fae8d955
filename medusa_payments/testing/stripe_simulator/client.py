"""The controls over HTTP, for a simulator that runs in another process."""

import json
import urllib.error
import urllib.request
from typing import Any

from .controls import ControlError, SimulatorControls

_TIMEOUT = 60


class SimulatorClient(SimulatorControls):
    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def _ask(self, act: str, **arguments: Any) -> Any:
        request = urllib.request.Request(
            f"{self.url}/_simulator/{act}",
            data=json.dumps(arguments).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
                return json.load(response)["answer"]
        except urllib.error.HTTPError as error:
            raise ControlError(json.load(error)["error"]) from error
