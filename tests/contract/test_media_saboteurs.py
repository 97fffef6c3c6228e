"""The MediaProcessor contract must catch a wrong adapter: each saboteur breaks one promise."""

import dataclasses
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from PIL import Image

from contract import test_media as contract
from roost.adapters.media.child_process.processor import ChildProcessor
from roost.domain.content import MediaType
from roost.ports.media import Processed


class KeepsTheUpload(ChildProcessor):
    async def process(self, file: Path, media_type: MediaType, folder: Path) -> Processed:
        made = await super().process(file, media_type, folder)
        shutil.copyfile(file, made.original)
        return made


class KeepsTheLastFrame(ChildProcessor):
    async def process(self, file: Path, media_type: MediaType, folder: Path) -> Processed:
        made = await super().process(file, media_type, folder)
        with Image.open(file) as picture:
            picture.load()
            picture.copy().save(made.original, media_type.name, duration=100)
        return made


class SaysTheSizeBeforeTheTurn(ChildProcessor):
    async def process(self, file: Path, media_type: MediaType, folder: Path) -> Processed:
        made = await super().process(file, media_type, folder)
        return dataclasses.replace(made, width=made.height, height=made.width)


class ShowsAllInThePreview(ChildProcessor):
    async def process(self, file: Path, media_type: MediaType, folder: Path) -> Processed:
        made = await super().process(file, media_type, folder)
        shutil.copyfile(made.original, made.preview)
        return made


class TurnsAllToJpeg(ChildProcessor):
    async def process(self, file: Path, media_type: MediaType, folder: Path) -> Processed:
        made = await super().process(file, media_type, folder)
        with Image.open(made.original) as picture:
            shown = picture.convert("RGB")
        shown.save(made.original, "JPEG")
        return dataclasses.replace(made, original_mime=MediaType.JPEG)


class SharesOneFolder(ChildProcessor):
    async def process(self, file: Path, media_type: MediaType, folder: Path) -> Processed:
        made = await super().process(file, media_type, folder)
        return dataclasses.replace(made, width=self._first_width(made.width))

    def _first_width(self, width: int) -> int:
        self._width = getattr(self, "_width", width)
        return self._width


Promise = Callable[..., Awaitable[None]]


@pytest.mark.parametrize(
    ("saboteur", "promise", "given"),
    [
        (KeepsTheUpload, contract.test_nothing_that_was_noted_beside_a_picture_is_left, ("JPEG",)),
        (KeepsTheUpload, contract.test_a_picture_is_turned_as_its_camera_said, (6, "BRYG")),
        (
            KeepsTheUpload,
            contract.test_a_film_keeps_its_pictures_and_sound_and_nothing_noted_beside_them,
            ("H.264 and AAC",),
        ),
        (KeepsTheUpload, contract.test_a_film_can_be_played_before_all_has_come, ()),
        (KeepsTheLastFrame, contract.test_a_moving_picture_moves_on_frame_by_frame, ("GIF", "RGB")),
        (SaysTheSizeBeforeTheTurn, contract.test_a_film_taken_upright_is_shown_upright, ()),
        (
            ShowsAllInThePreview,
            contract.test_a_preview_is_small_and_never_larger_than_the_picture,
            ((1500, 900), (600, 360)),
        ),
        (TurnsAllToJpeg, contract.test_a_picture_keeps_its_type_and_looks, ("PNG",)),
        (SharesOneFolder, contract.test_many_at_once_each_get_their_own, ()),
    ],
)
async def test_is_caught(
    saboteur: type[ChildProcessor], promise: Promise, given: tuple[object, ...], tmp_path: Path
) -> None:
    processor = saboteur()
    try:
        with pytest.raises(AssertionError):
            await promise(processor, tmp_path, *given)
    finally:
        await processor.close()
