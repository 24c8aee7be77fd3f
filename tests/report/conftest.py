"""The made-up run that these tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from report.made_report import make

from sfmcam.report.content import Content, collect
from sfmcam.report.page import write_report
from sfmcam.report.run import open_run
from sfmcam.workspace import ReportFolder


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with set/, run/ and against/."""
    return make(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="session")
def content(made: Path) -> Content:
    """The run beside two language models."""
    return collect(open_run(made / "run"), [made / "against"], resamples=50)


@pytest.fixture(scope="session")
def written(made: Path, content: Content) -> ReportFolder:
    """The report on it."""
    folder = ReportFolder(made / "report")
    write_report(content, folder)
    return folder
