"""Tables of what megasam costs, and what trained weights are worth; without torch, as the README's tables are made anywhere."""

from __future__ import annotations

from typing import Any

Rows = list[list[str]]
STEPS = ("encode", "context", "open", "look up", "update", "revise", "plain update")


def megasam_speed(figure: dict[str, Any]) -> Rows:
    """Milliseconds per frame (first two columns) or per edge, and what the update reaches of the device's matrix products."""
    rows = [["ms per frame or edge", *STEPS, "GFLOP/s", "of the peak", "GB"]]
    for name, case in figure["cases"].items():
        times = [f"{case['ms'][step]:.3f}" if step in case["ms"] else "-" for step in STEPS]
        memory = f"{case['peak_memory_gb']:.1f}" if "peak_memory_gb" in case else "-"
        rows.append([name, *times, f"{case['update_gflop_per_s']:.0f}", f"{100 * case['share_of_peak']:.0f} %", memory])
    return rows


def megasam_train(figure: dict[str, Any]) -> Rows:
    """Errors of trained weights and of dense optical flow on the same held-out pairs."""
    rows = [["held out", "weights", "DIS"]]
    for name, value in figure["learned"].items():
        shown = ("-" if found is None else f"{found:.2f}" for found in (value, figure["dis"].get(name)))
        rows.append([name, *shown])
    return rows


def megasam_tracking(figure: dict[str, Any]) -> Rows:
    """Seconds per clip under `dense` and `megasam`, frames per second, memory."""
    rows = [["estimator", "status", "keyframes", "edge revisions", "first s", "s", "processor s", "frames/s", "MiB", "GPU MiB"]]
    for name, case in figure["cases"].items():
        gpu = case.get("peak_gpu_memory_mib")
        times = [f"{case[key]:.1f}" for key in ("first_s", "wall_s", "processor_s", "frames_per_s")]
        memory = [f"{case['peak_memory_mib']:.0f}", "-" if gpu is None else f"{gpu:.0f}"]
        revised = str(case["asked"]["revised"]) if "asked" in case else "-"
        rows.append([name, case["status"], str(case["keyframes"]), revised, *times, *memory])
    return rows


def megasam_poses(figure: dict[str, Any]) -> Rows:
    """Errors of the cameras of rendered clips, and processor time, clip by clip and as medians."""
    keys = ("rotation_mean_deg", "direction_mean_deg", "focal_percent", "processor_s")
    rows = [["estimator", "clip", "status", "rotation deg", "direction deg", "focal %", "processor s"]]
    for name, case in figure["cases"].items():
        for clip, told in (*case["clips"].items(), ("median", case["median"])):
            status = told.get("status", f"{told.get('answered')} of {len(case['clips'])}")
            rows.append([name, clip, status, *("-" if told.get(key) is None else f"{told[key]:.2f}" for key in keys)])
    return rows
