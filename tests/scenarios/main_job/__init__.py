"""The main job: a real follow graph and real tweets go in, and everybody reads what he should."""
