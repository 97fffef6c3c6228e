"""The commands, queries and routes of contents over one node, and what cleans up after them.

Node -> content_routes -> NativeApp; Node -> clean_contents, erase_content -> housekeeping and a Reactor
"""

import structlog

from roost.assembly.engines import Engines
from roost.assembly.node import Node
from roost.assembly.settings import Settings
from roost.commands.clean_contents import CleanContents
from roost.commands.upload_content import AT_ONCE_MAX, AT_ONCE_PER_USER_MAX, Places, UploadContent
from roost.domain.content import UploadBounds
from roost.edge.native.content import Contents
from roost.edge.rendering import ContentAddresses
from roost.queries.read_content import ReadContent
from roost.reactions.erase_content import EraseContent

CLEAN_EVERY_S = 600.0
SWEEP_STORAGE_EVERY_S = 6 * 3_600.0
"""Everything that is stored is listed: seconds for a million files. What is deleted must be gone within a day."""

log = structlog.get_logger("roost.contents")


def content_routes(node: Node, addresses: ContentAddresses) -> Contents:
    engines, views = node.engines, node.views
    return Contents(
        upload=_upload_content(engines, node.settings),
        read=ReadContent(views.contents, views.users, views.relations, views.sight),
        content_bytes=engines.content_bytes,
        addresses=addresses,
        public_read=node.settings.public_read,
    )


async def start_content_work(node: Node) -> None:
    """Remove the files that a killed process left, and go on cleaning; deleted tweets' contents go by a reaction."""
    clean = clean_contents(node.engines, node.settings)
    swept = await clean.sweep_uploads()
    if swept:
        log.info("unfinished uploads removed", files=swept)
    node.keep(CLEAN_EVERY_S, clean, "clean_contents")
    node.keep(SWEEP_STORAGE_EVERY_S, clean.sweep_storage, "sweep_content_storage")
    node.react("erase_content", erase_content(node))


def clean_contents(engines: Engines, settings: Settings) -> CleanContents:
    return CleanContents(
        engines.stores.contents, engines.content_bytes, engines.uploads, engines.clock, settings.content_kept_s * 1_000
    )


def erase_content(node: Node) -> EraseContent:
    """For a reactor of its own group, after the node's views."""
    engines, stores = node.engines, node.engines.stores
    return EraseContent(stores.tweets, stores.contents, engines.content_bytes, node.views.users, engines.clock)


def _upload_content(engines: Engines, settings: Settings) -> UploadContent:
    per_user_max = AT_ONCE_PER_USER_MAX if settings.rate_limits else AT_ONCE_MAX
    return UploadContent(
        store=engines.stores.contents,
        content_bytes=engines.content_bytes,
        uploads=engines.uploads,
        media=engines.media,
        ids=engines.ids,
        clock=engines.clock,
        randomness=engines.randomness,
        bounds=UploadBounds(settings.image_bytes_max, settings.video_bytes_max),
        quota_bytes=settings.content_quota_bytes,
        places=Places(per_user_max=per_user_max),
    )
