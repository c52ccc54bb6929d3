"""The one way out for network tools: `web.get` fetches a URL behind a guard against server-side request forgery.

addresses.py     which addresses are never reached        connections.py   resolve once, check all, connect
allow_list.py    what PERDURE_ALLOW_HOSTS admits          web.py           redirects and caps; the call that tools make
refusals.py      the errors                               retry_after.py   what a Retry-After header asks for
"""
