"""Requests over connections that stay open, one after the other on each of several threads."""

from __future__ import annotations

import http.client
import statistics
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Post:
    path: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Timing:
    """Seconds that each request took, and that all of them took together."""

    each: tuple[float, ...]
    together: float

    @property
    def median_ms(self) -> float:
        return statistics.median(self.each) * 1000

    @property
    def per_second(self) -> float:
        return len(self.each) / self.together


def send(url: str, posts: Sequence[Post], *, parallel: int) -> Timing:
    """Send all; every answer must be 200."""
    shares = [posts[number::parallel] for number in range(parallel)]
    begun = time.perf_counter()
    with ThreadPoolExecutor(parallel) as pool:
        timed = [
            seconds
            for share in pool.map(lambda each: _send(url, each), shares)
            for seconds in share
        ]
    return Timing(tuple(timed), time.perf_counter() - begun)


def _send(url: str, posts: Iterable[Post]) -> list[float]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    timed = []
    for post in posts:
        begun = time.perf_counter()
        connection.request("POST", post.path, post.body, post.headers)
        answer = connection.getresponse()
        text = answer.read()
        timed.append(time.perf_counter() - begun)
        if answer.status != 200:
            raise RuntimeError(f"{post.path} answered {answer.status}: {text[:500]!r}")
    connection.close()
    return timed
