"""Answer files: one letter per row, as the CamReasoner family writes them (arXiv 2602.00181, Inference/infer/eval_bench.py).

    {"results": [{"problem_id": "Move_Down_1", "problem", "options": ["A. No", "B. Yes"], "solution": "<answer>B</answer>",
                  "path": "video/x.mp4", "output": "... <answer>A</answer>", "prediction": "A", ...}, ...],
     "metrics": {...}, "meta": {"model_path", ...}}

or the list alone, or one row per line. An answer becomes a score of 1 (yes) or 0 (no). An output that names none of its options is a
failure. (Their evaluator compares the first letter of whatever is there, so that "A pan." without tags is an A to it, and to us a failure.)
"""

from __future__ import annotations

import math
import re
from pathlib import Path, PurePosixPath
from typing import Any

from sfmcam.errors import ScoreFileError
from sfmcam.io.score_rows import ScoreFile, ScoreRow, split_named, truth_of, video_name

METHOD_TYPE = "answers"
NO_ANSWER, NO_SUCH_OPTION = "no_answer", "no_such_option"
ANSWER_KEYS = ("output", "prediction", "answer")  # the first that a row has
_TAGGED = re.compile(r"<answer>\s*(.*?)\s*</answer>", re.DOTALL)
_LETTER = re.compile(r"\(?([A-Za-z])(?:$|[).:](?:\s.*)?$)", re.DOTALL)  # B, (B), B., B) Yes, B: yes
_ERROR = "ERROR"  # what the CamReasoner script writes for a batch that broke down
_NUMBERED = re.compile(r"(.+?)_?\d*")


def parse_answers(document: Any, path: Path) -> ScoreFile:
    """Read one answer file.

    Raises:
        ScoreFileError: naming the file and, where there is one, the row that does not fit.
    """
    meta = document.get("meta") if isinstance(document, dict) else None
    entries = document.get("results") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise ScoreFileError(f"{path}: no list 'results'; expected the rows of an answer file")
    file = ScoreFile(path, _model(meta, path), method_type=METHOD_TYPE)
    for number, entry in enumerate(entries, 1):
        where = f"{path}, row {number}"
        split, row = _parse_row(entry, where)
        file.add(split, row, where)
    return file


def _model(meta: Any, path: Path) -> str:
    """Return the last part of the model's path, which the script notes; without it, the name of the file."""
    stated = meta.get("model_path") if isinstance(meta, dict) else None
    return (PurePosixPath(stated).name if isinstance(stated, str) else "") or path.stem


def _parse_row(entry: Any, where: str) -> tuple[str, ScoreRow]:
    if not isinstance(entry, dict):
        raise ScoreFileError(f"{where}: not an object; expected one with the keys problem_id, options, path and output")
    split, video = _split(entry, where), video_name(entry.get("path"), where, key="path")
    truths = _truths(entry, where)
    label = _label(entry, truths, where)
    said = [entry[key] for key in ANSWER_KEYS if key in entry]
    if not said:
        raise ScoreFileError(f"{where}: the key 'output' is missing; is this the file of questions, before a model has answered them?")
    answer = _read(said[0], truths) if isinstance(said[0], str) else NO_ANSWER
    if isinstance(answer, bool):
        return split, ScoreRow(video, label, float(answer), None)
    return split, ScoreRow(video, label, math.nan, answer)


def _split(entry: dict[str, Any], where: str) -> str:
    """Return the task that the row names: `task`, or `problem_id` without its number."""
    for key in ("task", "problem_id"):
        match = _NUMBERED.fullmatch(str(entry.get(key) or "").strip())
        if match and (split := split_named(match[1])):
            return split
    named = str(entry.get("problem_id") or entry.get("task") or "")[:40]
    raise ScoreFileError(
        f"{where}: problem_id is '{named}', which names none of the 15 tasks, such as Move_In_1; keep the binary test only"
    )


def _truths(entry: dict[str, Any], where: str) -> dict[str, bool]:
    """Return what each letter says, from options such as 'A. No'."""
    options = entry.get("options")
    truths: dict[str, bool] = {}
    for option in options if isinstance(options, list) else ():
        letter, _, words = str(option).partition(".")
        truth = truth_of(words)
        if truth is not None:
            truths[letter.strip().upper()] = truth
    if set(truths.values()) != {True, False}:
        raise ScoreFileError(f"{where}: the options are {str(options)[:60]}; expected a Yes and a No, such as 'A. No' and 'B. Yes'")
    return truths


def _label(entry: dict[str, Any], truths: dict[str, bool], where: str) -> bool | None:
    """Return the stated truth; None where the row states none."""
    if "solution" not in entry:
        return None
    truth = _read(str(entry["solution"]), truths)
    if not isinstance(truth, bool):
        raise ScoreFileError(f"{where}: the solution is '{str(entry['solution'])[:40]}', which is none of the options")
    return truth


def _read(text: str, truths: dict[str, bool]) -> bool | str:
    """Return what an output says, or why it says nothing."""
    tagged = _TAGGED.search(text)
    words = (tagged[1] if tagged else text).strip()
    if words == _ERROR:
        return _ERROR.lower()
    if (truth := truth_of(words.rstrip("."))) is not None:
        return truth
    letter = _LETTER.match(words)
    if letter is None:
        return NO_ANSWER
    return truths.get(letter[1].upper(), NO_SUCH_OPTION)
