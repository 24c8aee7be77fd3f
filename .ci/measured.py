"""Fail if a test was skipped for want of what is there. Usage: measured.py JUNIT.xml REASON...

A REASON is what the skip says: "measurement data" (tests/shared_data.py), "no headless browser" (tests/report/test_browser.py).
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree


def main(report: str, reasons: list[str]) -> int:
    """Print what was skipped for one of `reasons`; return the exit code."""
    cases = list(ElementTree.parse(report).iter("testcase"))
    skipped = [
        f"{case.get('classname')}::{case.get('name')} ({reason})"
        for case in cases
        for skip in case.iter("skipped")
        for reason in reasons
        if reason in (skip.get("message") or "") + (skip.text or "")
    ]
    for name in skipped:
        print(f"skipped although it must not be: {name}")
    if not cases:
        print(f"{report} reports no test")
    return 1 if skipped or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
