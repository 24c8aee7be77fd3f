"""Fail if a test was skipped for want of the measurement data. Usage: measured.py JUNIT.xml"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree

REASON = "measurement data"  # tests/shared_data.py


def main(report: str) -> int:
    """Print what was skipped; return the exit code."""
    cases = list(ElementTree.parse(report).iter("testcase"))
    skipped = [
        f"{case.get('classname')}::{case.get('name')}"
        for case in cases
        for skip in case.iter("skipped")
        if REASON in (skip.get("message") or "") + (skip.text or "")
    ]
    for name in skipped:
        print(f"skipped although the measurement data is there: {name}")
    if not cases:
        print(f"{report} reports no test")
    return 1 if skipped or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
