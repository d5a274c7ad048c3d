import pytest
from typer.testing import CliRunner

from libs.ops.app import app
from libs.ops.topics import apply


@pytest.fixture
def viceversa(monkeypatch, tmp_path):
    """Calls the command line in a folder without endpoints; gives its exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    for name in ("KAFKA", "MATCHING", "SCHEDULING", "NOTIFICATIONS", "API_TOKEN", "PREFIX"):
        monkeypatch.delenv(f"VICEVERSA_{name}", raising=False)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def cluster(viceversa, stack, prefix, monkeypatch):
    """The topics of this test on the real broker, and the command line pointed at them."""
    monkeypatch.setenv("VICEVERSA_KAFKA", stack.kafka)
    monkeypatch.setenv("VICEVERSA_PREFIX", prefix)
    apply(stack.kafka, prefix, {})
    return stack.kafka
