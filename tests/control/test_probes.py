"""Every way out of the sandbox that `probes` knows, as a test of its own, in both profiles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from layers.control import Executor
from tests.control.probes import PROBES, PYTHON, Probe, Rig, attempt
from tests.control.probes import rig as make_rig
from tests.control.test_executor import executor as executor
from tests.control.test_executor import home as home
from tests.control.test_executor import profile as profile

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(PYTHON).exists(), reason="no /usr/bin/python3 to probe the sandbox with"),
]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Rig]:
    with make_rig(tmp_path_factory.mktemp("outside"), home / "workspace") as made:
        yield made


assert all(sum(name in probe.profiles for probe in PROBES) >= 20 for name in ("bwrap", "landlock"))


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
async def test_a_program_in_the_sandbox_does_not_get_out_by(executor: Executor, rig: Rig, probe: Probe) -> None:
    if executor.profile not in probe.profiles:
        pytest.skip(f"{probe.name} is no question in {executor.profile}; see README")
    is_out, said = await attempt(executor, probe, rig)
    assert not is_out, said
