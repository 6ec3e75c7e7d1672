"""A token in software, of this process's own, where SoftHSM is installed."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

PLACES = (
    os.environ.get("SOFTHSM2_LIBRARY", ""),
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
LIBRARY = next((Path(one) for one in PLACES if one and Path(one).is_file()), None)
UTIL = os.environ.get("SOFTHSM2_UTIL") or shutil.which("softhsm2-util")
NONE_HERE = "no SoftHSM here: install softhsm2, or name it in SOFTHSM2_LIBRARY and SOFTHSM2_UTIL"
LABEL = "visitsync tests"
PIN = "placeholder-pin"


@cache
def set_up() -> None:
    """Make the token; the library reads where it is once per process."""
    folder = Path(tempfile.mkdtemp(prefix="softhsm"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n"
        "log.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(folder / "conf")
    subprocess.run(
        [str(UTIL), "--module", str(LIBRARY), "--init-token", "--free", "--label", LABEL,
         "--pin", PIN, "--so-pin", PIN],
        check=True, capture_output=True,
    )  # fmt: skip
