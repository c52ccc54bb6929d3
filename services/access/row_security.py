"""Whether Postgres keeps the tenants apart for us: not when our role is a superuser or bypasses row-level security."""

from sqlalchemy import text

from services import database, logs, settings
from services.errors import Misconfigured, Unavailable

log = logs.get(__name__)

EXEMPT = "select rolname from pg_roles where rolname = current_user and (rolsuper or rolbypassrls)"


def fault() -> str | None:
    """What is wrong with our role and what mends it, None when it is held to row-level security."""
    with database.session() as session:
        role = session.scalar(text(EXEMPT))
    if role is None:
        return None
    return (
        f"The database role {role!r} is a superuser or bypasses row-level security, so that Postgres does not keep "
        "tenants apart: let DATABASE_URL name a role of its own that owns the database "
        "(create role perdure login nosuperuser nobypassrls; docs/access.md)."
    )


def insist() -> None:
    """Raise Misconfigured for such a role; where no keys are asked for there is one tenant, and a warning will do."""
    if settings.current().database_url is None:
        return  # nothing works yet; /readyz says so
    try:
        found = fault()
    except Unavailable:
        return  # /readyz looks again
    if found and settings.current().auth_required:
        raise Misconfigured(found)
    if found:
        log.warning(found)
