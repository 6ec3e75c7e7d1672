"""Identifiers: checked strings, so that one kind is never given for another."""

from __future__ import annotations

from typing import NewType

ProgramId = NewType("ProgramId", str)
"""A program's code, such as ``multiples``; the name of its adapter's file, for ever."""

OfficeId = NewType("OfficeId", str)
"""An office as registered in the directory, such as ``shiomi-mt-01``."""

AgencyId = NewType("AgencyId", str)
"""An organisation that runs offices or employs staff."""

StaffId = NewType("StaffId", str)
"""A person who signs in."""

HouseholdId = NewType("HouseholdId", str)
"""visitsync's own id of a household; says nothing about the family."""

RegistrationId = NewType("RegistrationId", str)
"""visitsync's own id of an office's registration (office and case number)."""

VisitId = NewType("VisitId", str)
"""visitsync's own id of one reported visit; all its revisions share it."""
