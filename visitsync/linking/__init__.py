"""SAME HOUSEHOLD? Registrations of five offices that share no number, linked with evidence. Pure.

`index_terms` says by which compound values a registration is found (the caller keys them);
`propose` compares a new registration with every registration of each household found and answers
``same``, ``new`` or ``review``, with named pieces of evidence and never a value. Registrations are
never altered; a link is the caller's dated row. See ``docs/adr/0005-conservative-linking.md``.
"""

from visitsync.linking.bulk import Linker
from visitsync.linking.index import IndexTerm, index_terms, terms_of
from visitsync.linking.profile import Profile, profile
from visitsync.linking.propose import RULES, Household, propose, propose_profiled
from visitsync.linking.registration import Candidate, Evidence, Proposal, Registration

__all__ = [
    "RULES",
    "Candidate",
    "Evidence",
    "Household",
    "IndexTerm",
    "Linker",
    "Profile",
    "Proposal",
    "Registration",
    "index_terms",
    "profile",
    "propose",
    "propose_profiled",
    "terms_of",
]
