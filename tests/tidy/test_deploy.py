"""Deployment files that no machine here can run: what can be told of them without."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from roost.assembly.cluster.file import read_cluster
from roost.assembly.cluster.running import ROLES, read_roles
from roost.assembly.settings import BadSetting, read_settings

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_every_name_in_the_compose_file_is_there() -> None:
    for name, service in SERVICES.items():
        assert "image" in service, name
        assert set(service.get("depends_on", ())) <= set(SERVICES), name
        for volume in service.get("volumes", ()):
            assert volume.partition(":")[0] in COMPOSE["volumes"], name
        for config in service.get("configs", ()):
            assert config["source"] in COMPOSE["configs"], name
        assert service.get("hostname", name) == name


def test_the_processes_of_roost_take_all_roles_twice() -> None:
    taken = [
        role
        for service in SERVICES.values()
        if service["image"] == "roost"
        for role in read_roles(service["command"][1])
    ]
    assert sorted(taken) == sorted([*ROLES, *ROLES])


def test_the_example_of_settings_names_services_and_asks_for_secrets(tmp_path: Path) -> None:
    example = (DEPLOY / "cluster.example.toml").read_text()
    named = set(re.findall(r"(?:kafka|redis|cassandra|solr)-\d|(?<=//)s3", example))
    assert named <= set(SERVICES)
    with pytest.raises(BadSetting, match="signing_key is empty"):
        read_cluster(DEPLOY / "cluster.example.toml")
    filled = tmp_path / "cluster.toml"
    filled.write_text(re.sub(r'= ""', '= "00112233445566778899aabbccddeeff"', example))
    read = read_cluster(filled)
    assert read is not None
    assert read.redis.is_cluster
    read_settings({}, {}, filled)


def test_the_container_runs_roost_as_somebody_without_rights() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    assert text.index("USER roost") < text.index("ENTRYPOINT")
    assert '"roost", "serve"' in text
