"""An S3 server over a folder: Versity's gateway, built from its Go module and kept."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from roost_cluster import registries
from roost_cluster.engines.jvm import answers
from roost_cluster.launch import Launch

MODULE = "github.com/versity/versitygw/cmd/versitygw"
VERSION = "v1.8.0"
HEALTH = "/health"


def gateway() -> Path:
    """The program, built when it is not kept yet: two minutes on two cores. Raises registries.Missing."""
    go = shutil.which("go")
    folder = registries.kept_folder() / f"versitygw-{VERSION}"
    program = folder / "versitygw"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            if go is None:
                raise registries.Missing("the S3 server is built with Go, which is missing: see its download page")
            _build(go, folder)
    return program


def s3(
    folder: Path, host: str, port: int, access_key_id: str, secret_access_key: str, buckets: Sequence[str]
) -> Launch:
    """A server with these buckets, objects as files below `folder`; several may serve one folder's `objects`.

    Raises registries.Missing.
    """
    objects, metadata = folder / "objects", folder / "metadata"
    for bucket in buckets:
        (objects / bucket).mkdir(parents=True, exist_ok=True)
    # Metadata beside the objects: not every file system has extended attributes.
    metadata.mkdir(parents=True, exist_ok=True)
    flags = ["--port", f"{host}:{port}", "--health", HEALTH, "--quiet"]
    argv = [str(gateway()), *flags, "posix", "--sidecar", str(metadata), str(objects)]
    # In the environment, since everybody may list commands.
    secrets = {"ROOT_ACCESS_KEY": access_key_id, "ROOT_SECRET_KEY": secret_access_key}
    return Launch(f"s3 {host}:{port}", argv, folder, lambda: answers(host, port, HEALTH) is not None, secrets)


def url(host: str, port: int) -> str:
    return f"http://{host}:{port}"


def _build(go: str, folder: Path) -> None:
    run = subprocess.run(
        [go, "install", f"{MODULE}@{VERSION}"],
        env={**os.environ, "GOBIN": str(folder)},
        capture_output=True,
        text=True,
        timeout=registries.FETCH_S_MAX,
        check=False,
    )
    if run.returncode:
        raise registries.Missing(f"Go could not build {MODULE}: {run.stderr[-1_000:]}")
