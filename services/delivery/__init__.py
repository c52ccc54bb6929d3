"""What Perdure sends to URLs, and what it is sent: every message is a row until the other side has taken it.

messages.py        messages, their states, what is claimed      subscriptions.py  webhooks out: who is told of what
attempts.py        every try at a message                       triggers.py       webhooks in: URLs that start runs
publishing.py      what is asked for → rows, all or none        templates.py      what came in → a request or a plan
ordered_queues.py  queues with an order                         retry_delays.py   expressions for the time between tries
url_groups.py      names for several URLs                       outgoing.py       a claimed message as signed request
deduplications.py  what is the same, and for how long           redacted.py       fields of which only a hash is shown
"""
