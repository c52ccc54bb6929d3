"""Why a fetch ended without a reply. All are tool errors, so a tool may let them pass as they are.

Failed
├── UrlRefused        the URL itself: scheme, port, credentials, no host
├── AddressRefused    the host is at an address that network tools may not reach
├── HostUnknown       the name does not resolve
└── ReplyRefused      too large, wrong type, too many redirects, undecodable, bad certificate
Retryable
└── NoReply           no connection, no answer in time, the name server did not answer
    └── Unreached     no connection, so nothing was sent
"""

from services.errors import Failed, Retryable


class UrlRefused(Failed):
    """This URL can't be fetched, whatever is behind it."""


class AddressRefused(Failed):
    """The host's address is not a public one and PERDURE_ALLOW_HOSTS does not admit it."""


class HostUnknown(Failed):
    """No such host."""


class ReplyRefused(Failed):
    """The other side answered with something that we do not take."""


class NoReply(Retryable):
    """The other side did not answer, or not in time."""


class Unreached(NoReply):
    """No connection came about, so nothing was sent."""
