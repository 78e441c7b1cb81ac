"""The manifests for Kubernetes: as its schemas want them, and fitting what the processes do."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from honcho.environ import parse_procfile

from tests.support.image import stages
from tests.support.slug import PROJECT

FILES = sorted((PROJECT / "docs" / "deploy" / "kubernetes").glob("*.yaml"))
MANIFESTS: list[tuple[Path, dict[str, Any]]] = [
    (path, manifest) for path in FILES for manifest in yaml.safe_load_all(path.read_text())
]
OLDEST, NEWEST = "1.30", "1.37"  # `preStop.sleep` is there since 1.30


def named(kind: str, name: str) -> dict[str, Any]:
    (found,) = [each for _, each in MANIFESTS if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def pods() -> list[dict[str, Any]]:
    return [each["spec"]["template"]["spec"] for _, each in MANIFESTS if "template" in each.get("spec", {})]


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize(
    "manifest", [pytest.param(each, id=f"{each['kind']}-{each['metadata']['name']}") for _, each in MANIFESTS]
)
def test_a_manifest_is_as_the_schema_wants_it(manifest: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_they_run_what_the_procfile_runs() -> None:
    lines = set(parse_procfile((PROJECT / "Procfile").read_text()).processes.values())
    run = {" ".join(pod["containers"][0].get("command") or stages()[-1].command) for pod in pods()}
    assert run == lines


def test_what_runs_is_not_root_and_changes_nothing_but_its_tmp() -> None:
    assert int(stages()[-1].user) > 0
    for pod in pods():
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]  # noqa: S108


def test_a_worker_is_given_more_time_than_it_takes() -> None:
    pod = named("Deployment", "rejoinder-worker")["spec"]["template"]["spec"]
    (grace,) = [int(each["value"]) for each in pod["containers"][0]["env"] if each["name"] == "SHUTDOWN_GRACE"]
    assert pod["terminationGracePeriodSeconds"] >= grace + 5


def test_every_setting_is_one_of_the_table() -> None:
    known = set(re.findall(r"^\| `([A-Z_]+)` \|", (PROJECT / "docs" / "settings.md").read_text(), re.MULTILINE))
    assert set(named("ConfigMap", "rejoinder")["data"]) | set(named("Secret", "rejoinder")["stringData"]) <= known


def test_what_is_selected_is_what_is_labelled() -> None:
    for part in ("web", "worker"):
        deployment = named("Deployment", f"rejoinder-{part}")["spec"]
        labels = deployment["template"]["metadata"]["labels"]
        assert deployment["selector"]["matchLabels"] == labels
        assert named("PodDisruptionBudget", f"rejoinder-{part}")["spec"]["selector"]["matchLabels"] == labels
    service = named("Service", "rejoinder-web")["spec"]
    assert service["selector"] == named("Deployment", "rejoinder-web")["spec"]["template"]["metadata"]["labels"]


def test_sockets_that_only_breathe_are_not_cut() -> None:
    annotations = named("Ingress", "rejoinder")["metadata"]["annotations"]
    assert int(annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"]) > 60
    assert annotations["nginx.ingress.kubernetes.io/proxy-buffering"] == "off"
