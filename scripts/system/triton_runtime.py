"""Assembles what the wheel's tritonserver needs to run outside a container, beside the wheel's own files.

.cache/seawall/triton-<version>-py<xy>/backends/
onnxruntime/model.py                 our Python-based backend
python/libtriton_python.so           copied: Triton looks for the stub beside the library's real path
triton_python_backend_utils.py
triton_python_backend_stub    the one built for this Python
"""

from __future__ import annotations

import filecmp
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

_WHEEL = "nvidia-pytriton"
_OLDEST_GLIBC = (2, 35)
_BACKEND = Path(__file__).resolve().parents[2] / "deploy/triton/backends/onnxruntime/model.py"


class TritonError(Exception):
    """Triton cannot do what was asked; the message is one line that says what to do.

    TritonError
    ├── TritonUnfit    this machine or Python cannot run the wheel's server
    └── TritonFailed   the server died, or did not become ready in time
    """


class TritonUnfit(TritonError):
    """This machine or Python cannot run the wheel's server."""


class TritonFailed(TritonError):
    """The server died, or did not become ready in time."""


@dataclass(frozen=True, slots=True)
class TritonRuntime:
    """Where the server's parts lie, and the environment that it starts in."""

    executable: Path
    backends: Path
    environment: dict[str, str]


def assemble(cache: Path) -> TritonRuntime:
    """Make or refresh the runtime folder below `cache`; raises TritonUnfit, saying why in one line."""
    _check_platform()
    server, libraries = _find_wheel()
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = server / "python_backend_stubs" / python / "triton_python_backend_stub"
    if not stub.is_file():
        raise TritonUnfit(f"{_WHEEL} has no backend stub for Python {python}; use 3.11 or 3.12")
    version = importlib.metadata.version(_WHEEL)
    backends = cache / f"triton-{version}-py{python.replace('.', '')}" / "backends"
    shipped = server / "backends" / "python"
    for source, target in (
        (shipped / "libtriton_python.so", backends / "python/libtriton_python.so"),
        (shipped / "triton_python_backend_utils.py", backends / "python/triton_python_backend_utils.py"),
        (stub, backends / "python/triton_python_backend_stub"),
        (_BACKEND, backends / "onnxruntime/model.py"),
    ):
        _copy(source, target)
    return TritonRuntime(
        executable=server / "bin/tritonserver",
        backends=backends.resolve(),
        environment=_environment(libraries),
    )


def _check_platform() -> None:
    if platform.machine() != "x86_64" or sys.platform != "linux":
        raise TritonUnfit(
            f"the wheel's Triton runs on Linux x86-64, not {sys.platform} {platform.machine()}: "
            "use NVIDIA's container instead"
        )
    library, version = platform.libc_ver()
    if library != "glibc" or tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_GLIBC:
        raise TritonUnfit(
            f"the wheel's Triton needs glibc 2.35 or later, not {library or 'another libc'} {version}"
        )


def _find_wheel() -> tuple[Path, Path]:
    """The wheel's server folder and its bundled libraries."""
    spec = importlib.util.find_spec("pytriton")
    if spec is None or spec.origin is None:
        raise TritonUnfit(f"Triton is not installed: pip install {_WHEEL} (no dependencies needed)")
    package = Path(spec.origin).parent
    server, libraries = package / "tritonserver", package.parent / "nvidia_pytriton.libs"
    for part in (server / "bin/tritonserver", server / "backends/python/libtriton_python.so", libraries):
        if not part.exists():
            raise TritonUnfit(f"{_WHEEL} is incomplete: {part} is missing; install it again")
    return server, libraries


def _environment(libraries: Path) -> dict[str, str]:
    """This process's, with the server's libraries, and this interpreter first on PATH.

    The stub embeds Python in isolated mode: it ignores PYTHONPATH and finds its packages from the first
    python3 on PATH, which inside a virtual environment is the environment's.
    """
    environment = dict(os.environ)
    paths = [str(libraries), sysconfig.get_config_var("LIBDIR"), environment.get("LD_LIBRARY_PATH")]
    environment["LD_LIBRARY_PATH"] = ":".join(path for path in paths if path)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment.get('PATH', os.defpath)}"
    return environment


def _copy(source: Path, target: Path) -> None:
    """Copy where the target is missing or differs; by rename, since another process may be starting."""
    if target.is_file() and filecmp.cmp(source, target, shallow=True):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copy2(source, partial)
    partial.replace(target)
