"""The machine's whole network is for risk 3, or for what is shipped and says by itself where it goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from layers.control import load_capability
from layers.control.catalog import SHIPPED
from layers.errors import Misconfigured
from tests.control.conftest import RISKY

CHECK = (SHIPPED / "host.http-check.toml").read_text()


def load(folder: Path, name: str, text: str) -> int:
    (folder / f"{name}.toml").write_text(text)
    return load_capability(folder / f"{name}.toml").manifest.risk


def test_an_operators_manifest_reaches_the_network_at_risk_three_only(tmp_path: Path) -> None:
    wide = RISKY + '[sandbox]\nnetwork = "host"\n'
    for risk in (1, 2):
        with pytest.raises(Misconfigured, match="needs risk = 3") as caught:
            load(tmp_path, "test.risky", wide.replace("risk = 2", f"risk = {risk}"))
        assert "\n" not in str(caught.value)
    assert load(tmp_path, "test.risky", wide.replace("risk = 2", "risk = 3")) == 3
    assert load(tmp_path, "test.risky", RISKY) == 2


def test_a_shipped_one_keeps_its_risk_while_it_does_the_same(tmp_path: Path) -> None:
    assert load(tmp_path, "host.http-check", CHECK) == 1
    assert load(tmp_path, "host.http-check", CHECK.replace("risk = 1", "risk = 2")) == 2
    assert load(tmp_path, "host.http-check", CHECK.replace("timeout_s = 20", "timeout_s = 40")) == 1
    for old, new in (
        ('"--max-redirs", "0"', '"--location"'),
        ('pattern = "https?://', 'pattern = "(file|https?)://'),
        ('"--proto", "=http,https", ', ""),
        ('cwd = "/"', 'cwd = "workspace"'),
    ):
        assert old in CHECK
        with pytest.raises(Misconfigured, match="needs risk = 3"):
            load(tmp_path, "host.http-check", CHECK.replace(old, new))
    with pytest.raises(Misconfigured, match="needs risk = 3"):
        load(tmp_path, "test.borrowed", CHECK.replace("host.http-check", "test.borrowed"))
