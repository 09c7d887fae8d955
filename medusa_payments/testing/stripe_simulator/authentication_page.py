"""The bank's page that `redirect_to_url` sends a buyer to."""

from urllib.parse import urlencode

from aiohttp import web

from .buyer import complete_action
from .store import Record
from .world import World

_PAGE = """<!doctype html>
<title>3-D Secure (simulator)</title>
<h1>3-D Secure (simulator)</h1>
<form method="post">
<button name="outcome" value="complete">Complete</button>
<button name="outcome" value="fail">Fail</button>
</form>
"""


async def show_page(request: web.Request) -> web.StreamResponse:
    return web.Response(text=_PAGE, content_type="text/html")


async def answer_page(world: World, request: web.Request) -> web.StreamResponse:
    """Finish the buyer's action, once, and send the buyer back to the shop."""
    form = await request.post()
    intent = world.store.find(request.match_info["intent"])
    if intent is None or not (return_url := intent.hidden.get("return_url")):
        raise web.HTTPNotFound
    if intent["status"] == "requires_action":
        complete_action(world, intent.id, succeed=form.get("outcome") == "complete")
    raise web.HTTPSeeOther(_location(intent, return_url))


def _location(intent: Record, return_url: str) -> str:
    facts = {
        "payment_intent": intent.id,
        "payment_intent_client_secret": intent["client_secret"],
        "redirect_status": "failed" if intent["last_payment_error"] else "succeeded",
    }
    return f"{return_url}{'&' if '?' in return_url else '?'}{urlencode(facts)}"
