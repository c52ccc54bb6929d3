"""What a real model of about 1.5 B parameters can do: 20 simple requests through the whole stack.

    python -m benchmarks.small_model --server llama-server --model qwen2.5-coder-1.5b-instruct-q4_k_m.gguf

Starts the server (llama.cpp's, or whatever takes its options) with an OpenAI-compatible endpoint and a stack of every
process beside it, asks, and prints a table of what was right. docs/small_models.md says where to get both.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from gateway.client import Client
from services.pipeline import embedded_servers
from tests import stack as stacks

CONTEXT = 6_144
SECONDS = 400.0  # for one request
EVERYTHING = ("web", "planning", "execution", "reflection", "scheduler")


@dataclass(frozen=True)
class Asked:
    """A request and what its answer must show: regular expressions that all have to be found."""

    request: str
    shows: tuple[str, ...]


REQUESTS = [
    Asked("What is 17% of 2340?", (r"397\.8",)),
    Asked("How much is 23 times 19?", (r"437",)),
    Asked("What is the square root of 1764?", (r"\b42\b",)),
    Asked("Divide 1250 by 8.", (r"156\.25",)),
    Asked("What is 12.5 plus 7.25 minus 3?", (r"16\.75",)),
    Asked("Convert 26.2 miles to kilometres.", (r"42\.1[67]|42\.2",)),
    Asked("How many grams are 3 ounces?", (r"85(\.0\d*)?\b",)),
    Asked("What is 98.6 degrees Fahrenheit in Celsius?", (r"\b37\b",)),
    Asked("How many litres are 5 US gallons?", (r"18\.9",)),
    Asked("Which weekday was 20 July 1969?", (r"Sunday",)),
    Asked("Is 2028 a leap year?", (r"(?i)\b(yes|is a leap year)\b",)),
    Asked("How many days are there from 3 May 2026 to 7 June 2026?", (r"\b35\b",)),
    Asked("Which date is 45 days after 1 March 2026?", (r"2026-04-15|15 April|April 15",)),
    Asked("When it is 9:00 in Chicago, what time is it in Paris?", (r"16:00|4(:00)? ?p\.?m",)),
    Asked("What is the time difference between Berlin and Tokyo?", (r"\b[78]\b|seven|eight",)),
    Asked("What is 15% of 80, and what is 20% of 45?", (r"\b12\b", r"\b9\b")),
    Asked("Convert 5 miles to km, and tell me which weekday 1 January 2000 was.", (r"8\.0[45]", r"Saturday")),
    Asked("Echo the words: the kettle is on", (r"(?i)the kettle is on",)),
    Asked("Multiply 12 by 12, then subtract 44 from the result.", (r"\b100\b",)),
    Asked('From this JSON take the name: {"name": "Ada", "age": 36}', (r"Ada",)),
]


def main() -> None:
    """Ask all, and print what was right."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--server", required=True, help="llama-server, or a path to it")
    options.add_argument("--model", required=True, type=Path, help="a GGUF file of an instruction-tuned model")
    options.add_argument("--tools", default=6, type=int, help="PERDURE_PROMPT_TOOLS")
    options.add_argument("--skip", default=0, type=int, help="leave out the first so many requests")
    chosen = options.parse_args()
    home = Path(tempfile.mkdtemp(prefix="perdure-small-model-"))
    with model_server(chosen.server, chosen.model, home) as base_url, embedded_servers.running(home) as addresses:
        environment = {
            "PERDURE_AUTH": "off",
            "PERDURE_EMBEDDED": "1",
            "PERDURE_HOME": str(home),
            "DATABASE_URL": addresses.database_url,
            "REDIS_URL": addresses.redis_url,
            "OPENAI_BASE_URL": base_url,
            "PERDURE_MODEL": chosen.model.stem,
            "PERDURE_MODEL_TIMEOUT": str(SECONDS),
            "PERDURE_CONTEXT_TOKENS": str(CONTEXT),
            "PERDURE_PROMPT_TOOLS": str(chosen.tools),
            "PERDURE_TEMPERATURE": "0",
        }
        os.environ.update(environment)
        stacks.run_once("release", environment)
        with stacks.running(home, *EVERYTHING, **environment) as stack:
            right = sum(ask(Client(stack.url), asked) for asked in REQUESTS[chosen.skip :])
    sys.stdout.write(f"\n{right} of {len(REQUESTS) - chosen.skip} right\n")


def ask(client: Client, asked: Asked) -> bool:
    """Whether the answer shows what it must; prints a row of the table."""
    began = time.monotonic()
    run_id = client.start(asked.request)["workflowId"]
    run = client.get(run_id)
    while run["status"] not in {"succeeded", "failed", "cancelled"} and time.monotonic() < began + 2 * SECONDS:
        time.sleep(0.5)
        run = client.get(run_id)
    answer = " ".join((run["answer"] or "").split())
    right = run["status"] == "succeeded" and all(re.search(shown, answer) for shown in asked.shows)
    calls = ", ".join(f"{step['tool']} {step['arguments']} {step['status']}" for step in run["steps"]) or "no step"
    mark, seconds = "right" if right else "wrong", time.monotonic() - began
    sys.stdout.write(f"| {asked.request} | {mark} | {seconds:.0f} | {calls} | {answer[:160]} |\n")
    sys.stdout.flush()
    return right


@contextmanager
def model_server(server: str, model: Path, logs: Path) -> Iterator[str]:
    """The model behind an OpenAI-compatible endpoint; its base URL."""
    port = stacks.free_port()
    command = [server, "-m", str(model), "--host", "127.0.0.1", "--port", str(port), "-c", str(CONTEXT), "-np", "1"]
    with (logs / "model.log").open("wb") as output:
        process = subprocess.Popen(["nice", "-n", "10", *command], stdout=output, stderr=output)
    try:
        until = time.monotonic() + 120
        while not _healthy(port):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{server} did not come up:\n{(logs / 'model.log').read_text()[-2000:]}")
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def _healthy(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/health", timeout=2).status_code == 200
    except httpx2.HTTPError:
        return False


if __name__ == "__main__":
    main()
