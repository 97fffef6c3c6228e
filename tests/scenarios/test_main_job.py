"""A part of the main job; the whole of it is run by `python benchmarks/main_job.py --full`."""

from pathlib import Path

import pytest

from scenarios.main_job.job import run_main_job
from scenarios.main_job.size import GRAPH, PART, TWEETS

needs_data = pytest.mark.skipif(not (GRAPH.exists() and TWEETS.exists()), reason=f"no real input at {GRAPH.parent}")


@needs_data
@pytest.mark.parametrize(
    ("celebrity_threshold", "workers"),
    [(None, 1), (PART.celebrity_threshold, 1), (PART.celebrity_threshold, 3)],
    ids=["all_fanned_out", "with_celebrities", "by_three_workers"],
)
async def test_everybody_reads_and_hears_what_the_reference_model_says(
    tmp_path: Path, celebrity_threshold: int | None, workers: int
) -> None:
    outcome = await run_main_job(PART, tmp_path / "data", celebrity_threshold=celebrity_threshold, workers=workers)
    print(outcome.figures)  # noqa: T201  shown by pytest -rP, and when it fails
    assert outcome.complaints == []
    assert outcome.figures["pushes"] > 0
    assert outcome.figures["pages"] >= PART.to_the_end
