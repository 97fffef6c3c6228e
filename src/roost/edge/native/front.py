"""GET /: one short page that says what this is and where the interface is. It needs nothing from elsewhere.

edge.native.app -> FrontPage
"""

import base64
import hashlib
from dataclasses import dataclass

from roost.edge.native.endpoint import Answer, Call, Described, Endpoint, SignedIn

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2733; --paper: #fbfaf7; --quiet: #5d6b78; --line: #e2ded5; --twig: #b3541e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e6e1; --paper: #15191d; --quiet: #9aa5af; --line: #2c333a; --twig: #ef9a5f }
}
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 2rem 1.25rem;
  background: var(--paper); color: var(--ink); font: 1.0625rem/1.6 system-ui, sans-serif }
main { max-width: 36rem }
h1 { margin: 0 0 .25rem; font-size: 2.75rem; letter-spacing: -.03em; line-height: 1.1 }
h1 + p { margin: 0 0 1.75rem; font-size: 1.25rem; color: var(--quiet) }
svg { display: block; width: 4.5rem; height: 4.5rem; margin-bottom: 1rem; color: var(--twig) }
ul { margin: 1.5rem 0; padding: 0; list-style: none; border-top: 1px solid var(--line) }
li { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1rem; padding: .6rem 0;
  border-bottom: 1px solid var(--line) }
li > :first-child { min-width: 11rem }
li > :last-child { color: var(--quiet) }
a { color: var(--twig); text-underline-offset: .2em }
a:focus-visible { outline: 2px solid; outline-offset: 3px; border-radius: 2px }
code { font: .95em ui-monospace, monospace }
"""

_PAGE = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>roost</title>
<style>{_STYLE}</style>
<main>
<svg viewBox="0 0 48 48" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round"
 stroke-linejoin="round" aria-hidden="true"><path d="M4 40h40M16 40v-5m8 5v-5"/>
<path d="M9 14c2-6 12-7 15 0l12 9c5 4 4 12-4 12H19C11 35 8 28 9 22l-5-4z"/><path d="M17 24c2 5 8 6 12 4"/>
<circle cx="15" cy="16" r=".8" fill="currentColor"/></svg>
<h1>roost</h1>
<p>A public square of one’s own.</p>
<p>This server is a complete Twitter: tweets, timelines, search and live updates, run by whoever runs this machine.
It speaks an open interface, which any program may use.</p>
<ul>
<li><a href="/openapi.json">/openapi.json</a> <span>every address, described (OpenAPI 3.1)</span></li>
<li><code>POST /create/user</code> <span>join</span></li>
<li><code>POST /tweet</code> <span>say something</span></li>
<li><code>GET /ws</code> <span>tweets as they happen (WebSocket)</span></li>
<li><a href="/trends">/trends</a> <span>what people talk about</span></li>
<li><a href="/health/ready">/health/ready</a> <span>how it does</span></li>
</ul>
</main>
</html>
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class FrontPage:
    def endpoints(self) -> list[Endpoint]:
        described = Described("a page for people", media_type=HTML)
        return [Endpoint("GET", "/", self._read, "What this is", {200: described}, SignedIn.NONE)]

    async def _read(self, _: Call[None]) -> Answer:
        headers = (("Content-Security-Policy", _POLICY), ("Cache-Control", "public, max-age=300"))
        return Answer(200, _PAGE.encode(), headers, HTML)
