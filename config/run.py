"""`make run`: the whole product on this machine, in the foreground, until Ctrl-C."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

from config.demo_traffic import send_demo_traffic
from config.ending import Ended, Ending
from config.stack import ROOT, Stack, StackError, open_stack


def main() -> int:
    """Start, show where everything is, keep it running. Gives the exit status."""
    ending = Ending()
    ending.listen()
    folder = Path(os.environ.get("PMS_VAR_DIR", ROOT / "var")).resolve()
    stack = None
    try:
        port = _port()
        stack = open_stack(folder, port=port, given=os.environ)
        demo_file = folder / "demo.json"
        is_first = not demo_file.exists()
        demo = prepare(stack, demo_file)
        print("Starting …", flush=True)
        stack.start_processes(check=ending.check)
        if is_first:
            try:
                send_demo_traffic(stack.base_url, demo)
            except requests.RequestException as error:
                raise StackError(f"the demo's own events were refused: {error}") from error
        write_demo_file(demo_file, demo)
        print(welcome(demo), flush=True)
        while stack.supervisor is not None:
            ending.check()
            stack.check_servers()
            stack.supervisor.poll()
            time.sleep(0.5)
        return 0
    except StackError as error:
        print(f"make run: {error}", file=sys.stderr)
        return 1
    except Ended:
        print("\nStopping …", flush=True)
        return 0
    finally:
        ending.ignore()
        if stack is not None:
            stack.stop()


def _port() -> int:
    text = os.environ.get("PORT", "8000")
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise StackError(f"PORT is {text!r}: give a number between 1 and 65535")
    return int(text)


def prepare(stack: Stack, demo_file: Path) -> dict[str, Any]:
    """Bring schemas, tenants, people and keys up to date; gives what goes into the demo's file."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "config.prepare", str(demo_file)],
        cwd=ROOT,
        env=stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no output"]
        raise StackError(f"the database could not be prepared: {lines[-1]}")
    return {"base_url": stack.base_url, **json.loads(done.stdout)}


def write_demo_file(path: Path, demo: dict[str, Any]) -> None:
    """Keep addresses, logins and keys, readable for us alone, never half-written."""
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(demo, indent=2) + "\n")
    draft.replace(path)


def welcome(demo: dict[str, Any]) -> str:
    """What a newcomer needs to know now."""
    port = demo["base_url"].rpartition(":")[2]
    lines = ["", "The product is running. Ctrl-C ends it; the data stays.", ""]
    for name, entry in {**demo["tenants"], "platform": demo["platform"]}.items():
        lines.append(
            f"  {name:<9} http://{entry['host']}:{port}/admin/   "
            f"{entry['username']} / {entry['password']}"
        )
    acme = demo["tenants"]["acme"]
    lines += [
        f"  API docs  http://{acme['host']}:{port}/api/v1/docs/",
        "",
        "A first event:",
        "",
        f"  curl -sS {demo['base_url']}/api/v1/events \\",
        f"    -H 'Authorization: Bearer {acme['api_key']}' \\",
        "    -H 'Content-Type: application/cloudevents+json' \\",
        "    -d '" + json.dumps(FIRST_EVENT) + "'",
        "",
    ]
    return "\n".join(lines)


FIRST_EVENT = {
    "specversion": "1.0",
    "id": "hello-1",
    "source": "curl",
    "type": "booking.created",
    "data": {
        "external_ref": {"source": "direct", "booking_ref": "HELLO-1"},
        "property_id": "seaview",
        "stays": [
            {
                "stay_ref": "HELLO-1-1",
                "unit_id": "seaview-105",
                "arrival": "2030-06-01",
                "departure": "2030-06-04",
                "adults": 2,
                "children": 0,
            }
        ],
        "status": "confirmed",
        "channel": "direct",
        "booked_at": "2030-01-15T10:00:00Z",
        "guest_ref": "guest-1",
    },
}


if __name__ == "__main__":
    sys.exit(main())
