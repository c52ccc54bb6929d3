"""absurd as it comes: polling every 250 ms, claims of 120 s."""

from benchmarks.peers import absurd


class Peer(absurd.Peer):
    """See benchmarks.peers.Peer."""

    title = "absurd, defaults"
    setup = "as above with poll_interval=0.25, claim_timeout=120"
    patience = 150.0
    poll_seconds, claim_seconds = 0.25, 120
