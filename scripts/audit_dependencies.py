"""Asks for known faults of every pinned package: `python -m scripts.audit_dependencies`.

Exit status 1 where one is known that `deploy/audit-exceptions.txt` does not accept with a reason, or where an
exception is not needed any more. Where the advisories cannot be reached nothing is known; that is said loudly
and is no failure, for a build must not depend on somebody else's server.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "deploy" / "constraints.txt"
EXCEPTIONS = ROOT / "deploy" / "audit-exceptions.txt"
_TIMEOUT_S = 300


class AuditFileWrong(Exception):
    """The file of exceptions has a line without a reason."""


def accepted(text: str) -> Mapping[str, str]:
    """The reason of each exception, by `<package> <advisory>`; a line is `<package> <advisory>: <reason>`.

    Raises:
        AuditFileWrong: a line is none.
    """
    found = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = re.fullmatch(r"(\S+ \S+): (\S.{20,})", line)
        if match is None:
            raise AuditFileWrong(f"{EXCEPTIONS.name}: not `<package> <advisory>: <reason>`: {line}")
        found[match[1]] = match[2]
    return found


def known_faults(report: str) -> set[str] | None:
    """`<package> <advisory>` of each fault in pip-audit's report; None where it is no report."""
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    return {f"{package['name']} {fault['id']}" for package in packages for fault in package.get("vulns", ())}


def verdict(faults: set[str] | None, exceptions: Mapping[str, str]) -> tuple[int, str]:
    """The exit status, and what to say."""
    if faults is None:
        return (
            0,
            "!!! DEPENDENCIES WERE NOT AUDITED: the advisories cannot be reached. Run this again. !!!",
        )
    unknown, idle = sorted(faults - exceptions.keys()), sorted(exceptions.keys() - faults)
    if unknown:
        return 1, f"known faults without a reason in {EXCEPTIONS.name}: {', '.join(unknown)}"
    if idle:
        return 1, f"{EXCEPTIONS.name} accepts what is not there: {', '.join(idle)}"
    return 0, f"no known fault but {len(exceptions)} accepted"


def main() -> None:
    """Audits, says what it found, and exits."""
    exceptions = accepted(EXCEPTIONS.read_text(encoding="utf-8"))
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(CONSTRAINTS)]
    command += ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
        report, reason = told.stdout, told.stderr.strip()
    except subprocess.TimeoutExpired:
        report, reason = "", f"no answer within {_TIMEOUT_S} s"
    faults = known_faults(report)
    if faults is None:
        print(reason[-2_000:], file=sys.stderr)
    status, words = verdict(faults, exceptions)
    print(words, file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    main()
