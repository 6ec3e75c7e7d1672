"""Who may decide for a household: one check for every operation about its directives.

Somebody with the role for it who answers for the household or stands over who does, and whom no
block names. Whoever else asks is told what they would be told of a household that there is not.
"""

from __future__ import annotations

from typing import Final

from visitsync.errors import UnknownHousehold
from visitsync.service.affairs.actors import DECIDERS, NOT_THERE, PROTECTOR, Beside

ROLES: Final = ("case_worker", PROTECTOR, *DECIDERS)
"""Who may decide, where it is theirs."""


def must_decide_for(found: Beside) -> None:
    """Go on only for who may decide for the household.

    Raises:
        UnknownHousehold: it is not theirs, or there is none.
        NotAllowed: it is, but theirs is another role.
    """
    if not (found.actor.answers_for or found.actor.stands_over) or found.is_blocked():
        raise UnknownHousehold(NOT_THERE)
    found.actor.must_be(*ROLES)
