"""Servers from the package registries: jars by Maven into a folder that is kept, and what Debian has."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

KEPT_IN = "ROOST_SERVERS"
"""Names the folder where what was fetched is kept; by default roost-servers below the user's cache folder."""
FETCH_S_MAX = 900


class Missing(Exception):
    """Something is not installed and was not to be had; the message says in one line what and how to get it."""


def kept_folder() -> Path:
    named = os.environ.get(KEPT_IN)
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "roost-servers"


def jars(name: str, pom: str) -> Path:
    """A folder of the jars that this project file names, fetched once. Raises Missing."""
    if shutil.which("mvn") is None or shutil.which("java") is None:
        raise Missing(f"{name} needs Java 17 and Maven: apt-get install openjdk-17-jre-headless maven")
    folder = kept_folder() / f"{name}-{hashlib.sha256(pom.encode()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            (folder / "pom.xml").write_text(pom)
            goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
            run = subprocess.run(
                ["mvn", "-B", "-ntp", "-q", "-f", "pom.xml", goal, "-DincludeScope=runtime", "-DoutputDirectory=libs"],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=FETCH_S_MAX,
                check=False,
            )
            if run.returncode:
                raise Missing(f"Maven could not fetch {name}: {run.stdout[-1_000:]}{run.stderr[-1_000:]}")
            (folder / "done").touch()
    return folder / "libs"


def program(name: str, package: str) -> str:
    """The path of an installed program, installed from Debian's packages where that is possible. Raises Missing."""
    found = _which(name)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _install([package])
        found = _which(name)
    if found is None:
        raise Missing(f"{name} is missing: apt-get install {package}")
    return found


def _which(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def _install(packages: Sequence[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # Debian starts what it installs: a policy that says no keeps the ports free.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", *packages]):
            subprocess.run(command, env=environment, capture_output=True, timeout=FETCH_S_MAX, check=False)
    finally:
        if ours:
            policy.unlink()
