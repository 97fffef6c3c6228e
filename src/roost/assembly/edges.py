"""The native interface and the sockets of one node: commands, queries, routes, the door.

Node -> Edges (app for HTTP, hub and door for WebSocket) -> serving
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from math import ceil

from prometheus_client import CollectorRegistry

from roost.assembly.accounts import account_routes
from roost.assembly.contents import content_routes
from roost.assembly.engines import Engines
from roost.assembly.figures import NodeFigures
from roost.assembly.freshness import Freshness
from roost.assembly.node import Node
from roost.assembly.seat import Seat
from roost.assembly.settings import Settings
from roost.commands.delete_tweet import DeleteTweet
from roost.commands.like_tweet import LikeTweet, UnlikeTweet
from roost.commands.post_tweet import PostTweet
from roost.commands.relate import Relate
from roost.commands.report import CloseReport, FileReport
from roost.domain.ids import Position, TweetId, UserId, first_id_at
from roost.edge.cells import CellShelf
from roost.edge.live.channels import Channels
from roost.edge.live.entrance import Entrance
from roost.edge.live.hub import Hub
from roost.edge.live.limits import Limits
from roost.edge.live.order import InOrder
from roost.edge.live.resume import Resume
from roost.edge.live.room import Room
from roost.edge.live.session import LiveDesk
from roost.edge.live.signed_tickets import SignedTickets
from roost.edge.live.tickets import TicketDesk, Tickets
from roost.edge.native.app import JSON_HEADERS, NativeApp
from roost.edge.native.auth import Authentication, SessionCookie
from roost.edge.native.endpoint import Endpoint
from roost.edge.native.front import FrontPage
from roost.edge.native.health import HealthReads, RequestFigures
from roost.edge.native.hot import HotTimelines
from roost.edge.native.limits import RateLimits, Rule, user_key
from roost.edge.native.lists import UserListReads
from roost.edge.native.notifications import NotificationReads, NotificationRenderer
from roost.edge.native.openapi import OpenApi
from roost.edge.native.relations import RelationActs
from roost.edge.native.reports import Reports
from roost.edge.native.search import SearchReads
from roost.edge.native.tickets import WebSocketTickets
from roost.edge.native.timelines import Timelines
from roost.edge.native.tweets import Tweets
from roost.edge.overload import LateLoop
from roost.edge.rendering import ContentAddresses, TweetRenderer
from roost.edge.settled_homes import SettledHomes
from roost.queries.home_timeline import HomeTimeline
from roost.queries.notifications import Notifications
from roost.queries.open_reports import OpenReports
from roost.queries.search import Search
from roost.queries.thread import Thread
from roost.queries.trends import Trends
from roost.queries.tweet_lists import TweetLists
from roost.queries.user_lists import UserLists
from roost.queries.user_profile import UserProfiles
from roost.queries.user_timeline import UserTimeline
from roost.views.posting_right import PostingRight

HOUR_S, MINUTE_S = 3_600.0, 60.0
Ready = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Edges:
    """What serves requests."""

    app: NativeApp
    hub: Hub
    entrance: Entrance
    room: Room
    hot: HotTimelines
    late: LateLoop


def rate_rules(settings: Settings) -> tuple[Rule, ...]:
    """The rules that endpoints name, with their bounds from the settings. Each of several workers counts for itself
    and allows its part: who has connections to some of them only gets less than all of it.
    """
    rules = (
        Rule("sign_up", settings.sign_up_per_hour, HOUR_S),
        Rule("sign_in", settings.sign_in_per_minute, MINUTE_S),
        Rule("post", settings.post_per_hour, HOUR_S),
        Rule("follow", settings.follow_per_hour, HOUR_S),
        Rule("upload", settings.upload_per_hour, HOUR_S),
        Rule("search", settings.search_per_minute, MINUTE_S),
        Rule("read", settings.read_per_minute, MINUTE_S),
    )
    return tuple(replace(rule, amount=ceil(rule.amount / settings.workers)) for rule in rules)


def build_edges(node: Node, position: Position, ready: Ready, seat: Seat | None = None) -> Edges:
    """All of the edges. The room begins at `position`: the caller gives it the facts from there on."""
    engines, settings = node.engines, node.settings
    addresses, renderer = _rendering(node)
    queries = Queries(node)
    limits = RateLimits(rate_rules(settings), engines.clock, on=settings.rate_limits)
    late = LateLoop()
    own_writes = None if seat is None else Freshness(seat.board, node.progress)
    hot = _hot(node, renderer, limits, own_writes)
    post = _post_tweet(node)
    notified = NotificationRenderer(renderer, addresses)
    room = _room(node, renderer, queries.notifications, notified, position)
    node.on_refreshed.append(room.noticed)
    tickets = _ticket_desk(engines)
    hub = Hub(Limits(sockets_max=settings.sockets_max))
    registry = CollectorRegistry()
    endpoints = [
        *Timelines(queries.user, queries.home, renderer, hot).endpoints(),
        *_tweet_endpoints(node, queries, post, renderer, addresses),
        *_user_endpoints(node, queries, addresses),
        *account_routes(node, engines.errands, limits, queries.profiles, addresses).endpoints(),
        *content_routes(node, addresses).endpoints(),
        *NotificationReads(queries.notifications, notified).endpoints(),
        *WebSocketTickets(tickets).endpoints(),
        *HealthReads(ready, registry, settings.metrics_token or None).endpoints(),
        *FrontPage().endpoints(),
    ]
    app = NativeApp(
        [*endpoints, *OpenApi(endpoints, version("roost")).endpoints()],
        authentication=_authentication(node),
        limits=limits,
        progress=node.progress,
        clock=engines.clock,
        own_writes=own_writes,
        late=late,
    )
    registry.register(RequestFigures(app.tree.routes))
    registry.register(NodeFigures(node, hub, room, hot, late, seat))
    return Edges(app, hub, _entrance(node, room, post, renderer, limits, late, tickets), room, hot, late)


def _rendering(node: Node) -> tuple[ContentAddresses, TweetRenderer]:
    settings, views = node.settings, node.views
    addresses = ContentAddresses(settings.public_url.rstrip("/"), node.engines.signing_key, node.engines.clock)
    return addresses, TweetRenderer(views.tweets, views.acts, views.contents, addresses, settings.tweets_cached_max)


class Queries:
    """The queries of a node that several routes ask."""

    def __init__(self, node: Node) -> None:
        engines, views, stores = node.engines, node.views, node.engines.stores
        self.notifications = Notifications(stores.notifications, views.users, views.relations, views.sight)
        self.profiles = UserProfiles(views.users, stores.accounts, views.relations, stores.relations)
        self.user_lists = UserLists(stores.relations, views.users, views.relations)
        self.tweet_lists = TweetLists(stores.tweets, stores.likes, views.users, views.relations, views.sight)
        self.home = HomeTimeline(views.home_timelines, views.sight)
        self.user = UserTimeline(views.user_timelines, views.users, views.relations, views.sight)
        self.thread = Thread(stores.tweets, views.tweets, views.sight)
        self.search = Search(engines.tweet_index, engines.user_index, views.users, views.relations, views.sight)
        self.trends = Trends(engines.tweet_index, engines.clock)


def _hot(node: Node, renderer: TweetRenderer, limits: RateLimits, own_writes: Freshness | None) -> HotTimelines:
    views, settings = node.views, node.settings
    shelf = CellShelf(renderer, views.caches.tweet_counts, settings.tweets_cached_max)
    homes = SettledHomes(
        views.home_timelines, views.sight, views.acts, views.contents, shelf, settings.timelines_cached_max
    )
    node.on_refreshed.append(shelf.noted)
    engines = node.engines
    return HotTimelines(homes, views.sessions, limits, engines.clock, JSON_HEADERS, own_writes, engines.is_current)


def _authentication(node: Node) -> Authentication:
    settings = node.settings
    cookie = SessionCookie(settings.behind_tls)
    return Authentication(node.views.sessions, cookie, settings.public_read, settings.public_url)


def _ticket_desk(engines: Engines) -> TicketDesk:
    clock, randomness = engines.clock, engines.randomness
    if engines.used_tickets is None:
        return Tickets(clock, randomness)
    return SignedTickets(engines.signing_key, engines.used_tickets, clock, randomness)


def _post_tweet(node: Node) -> PostTweet:
    engines, views = node.engines, node.views
    return PostTweet(
        store=engines.stores.tweets,
        contents=engines.stores.contents,
        ids=engines.ids,
        clock=engines.clock,
        language=engines.language,
        tweets=views.tweets,
        users=views.users,
        celebrities=views.celebrities,
        sight=views.sight,
        progress=node.progress,
        right=PostingRight(engines.stores.accounts, node.settings.require_confirmed_email),
    )


def _tweet_endpoints(
    node: Node, queries: Queries, post: PostTweet, renderer: TweetRenderer, addresses: ContentAddresses
) -> list[Endpoint]:
    views, stores, ids, progress = node.views, node.engines.stores, node.engines.ids, node.progress
    tweets = Tweets(
        post=post,
        delete=DeleteTweet(stores.tweets, ids, views.sight, progress),
        like=LikeTweet(stores.likes, ids, views.sight, progress),
        unlike=UnlikeTweet(stores.likes, views.sight, progress),
        thread=queries.thread,
        lists=queries.tweet_lists,
        profiles=queries.profiles,
        users=views.users,
        sight=views.sight,
        renderer=renderer,
        addresses=addresses,
    )
    search = SearchReads(queries.search, queries.trends, queries.profiles, renderer, addresses)
    return [*tweets.endpoints(), *search.endpoints()]


def _user_endpoints(node: Node, queries: Queries, addresses: ContentAddresses) -> list[Endpoint]:
    engines, views, stores = node.engines, node.views, node.engines.stores
    relate = Relate(
        stores.relations, engines.ids, views.users, views.relations, node.progress, node.settings.following_max
    )
    reports = Reports(
        FileReport(stores.reports, engines.ids, engines.clock, views.sight),
        CloseReport(stores.reports, views.users),
        OpenReports(stores.reports, views.users),
    )
    return [
        *RelationActs(relate).endpoints(),
        *UserListReads(queries.user_lists, queries.profiles, addresses).endpoints(),
        *reports.endpoints(),
    ]


def _room(
    node: Node,
    renderer: TweetRenderer,
    notifications: Notifications,
    notified: NotificationRenderer,
    position: Position,
) -> Room:
    async def notification(user: UserId, id: int) -> bytes | None:
        seen = await notifications.one(user, id)
        return None if seen is None else await notified.one(seen, user)

    views = node.views
    born = TweetId(first_id_at(node.engines.clock.now_ms()))
    return Room(
        log=node.engines.log,
        sight=views.sight,
        acts=views.acts,
        tweets=node.engines.stores.tweets,
        renderer=renderer,
        notification=notification,
        channels=Channels(views.users),
        order=InOrder(views.user_timelines, born),
        position=position,
    )


def _entrance(
    node: Node,
    room: Room,
    post: PostTweet,
    renderer: TweetRenderer,
    limits: RateLimits,
    late: LateLoop,
    tickets: TicketDesk,
) -> Entrance:
    engines, settings = node.engines, node.settings
    resume = Resume(
        log=engines.log,
        room=room,
        sight=room.sight,
        renderer=renderer,
        notification=room.notification,
        clock=engines.clock,
        window_s=settings.resume_window_s,
        events_max=settings.resume_events_max,
    )

    def count(rule: str, user: UserId) -> None:
        late.check()
        limits.take(rule, user_key(user))

    sign_ins = node.views.sessions
    desk = LiveDesk(room, post, renderer, resume, sign_ins, partial(count, "post"), partial(count, "search"))
    most = ceil(settings.sockets_per_address_max / settings.workers) if settings.rate_limits else None
    return Entrance(desk, sign_ins, tickets, most, settings.public_url)
