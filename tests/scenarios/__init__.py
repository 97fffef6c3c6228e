"""Whole stories: crashes, loads and the main job."""
