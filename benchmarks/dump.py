"""A tenant that sends a hundred thousand events at once, over HTTP as anybody can.

`python -m benchmarks.dump URL KEY COUNT`: batches of 500, two connections.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import requests

BATCH = 500
CONNECTIONS = 2


def main() -> None:
    """Send it all; ends with an error when anything is refused."""
    base_url, key, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        share = count // CONNECTIONS
        list(pool.map(lambda n: _send(base_url, key, n * share, share), range(CONNECTIONS)))


def _send(base_url: str, key: str, first: int, count: int) -> None:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {key}"
    for start in range(first, first + count, BATCH):
        events = [
            {"id": f"dump-{n}", "source": "bench", "type": "custom.bench", "subject": f"d{n}",
             "data": {"n": n, "unit": "seaview-101"}}
            for n in range(start, start + BATCH)
        ]  # fmt: skip
        answer = session.post(f"{base_url}/api/v1/events", json=events, timeout=120)
        answer.raise_for_status()


if __name__ == "__main__":
    main()
