"""Who is the second person at the host's shell: by their own token, else the operator."""

from __future__ import annotations

import os

from visitsync.cli.installation import at_hand
from visitsync.service import tokens
from visitsync.service.caller import Caller
from visitsync.service.context import Context


async def second_person(context: Context) -> Caller:
    """The holder of the token in ``VISITSYNC_TOKEN``; without one, whoever sits at the shell.

    Raises:
        NotSignedIn: the token is unknown, expired or revoked.
    """
    secret = os.environ.get("VISITSYNC_TOKEN", "").strip()
    return await tokens.authenticate(context, secret) if secret else at_hand.operator()
