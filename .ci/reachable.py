"""Exit 0 if the server of a database URL lets us in."""

import sys
from urllib.parse import urlsplit


def can_connect(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme in ("redis", "amqp"):
        return can_publish(url)
    if parts.scheme == "mysql":
        import pymysql as driver

        name = {"database": parts.path.strip("/")}
    else:
        import psycopg as driver

        name = {"dbname": parts.path.strip("/")}
    try:
        driver.connect(
            host=parts.hostname,
            port=parts.port,
            user=parts.username,
            password=parts.password or "",
            connect_timeout=3,
            **name,
        ).close()
    except driver.OperationalError:
        return False
    return True


def can_publish(url: str) -> bool:
    from kombu import Connection
    from kombu.exceptions import OperationalError

    try:
        with Connection(url, connect_timeout=3) as connection:
            connection.ensure_connection(max_retries=1, timeout=3)
    except OperationalError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(0 if can_connect(sys.argv[1]) else 1)
