"""What visitsync can be asked: one async function per operation, one transaction each; no HTTP.

The way in, for web and command line (every function is imported from its own module)::

    from visitsync.service.context import Context, open_context
    from visitsync.service.caller import Caller

    async with open_context(settings) as context:          # refuses an unfit installation
        caller = await tokens.authenticate(context, secret, request="…", address="…")
        view = await timelines.view(context, caller, household, purpose="care_coordination")

==================  ==============================================================================
module              asks
==================  ==============================================================================
``submissions``     ``submit(context, caller, office, payload, terms) -> Report``;
                    payload is ``Records(content, ndjson)`` or ``Files(files)``, terms are
                    ``Terms(dry_run, mode, idempotency_key)`` (all of ``service.reports``)
``timelines``       ``view(context, caller, household, purpose, page, acknowledged=…) -> View``;
                    ``Page(start, until, programs, limit, cursor)`` and all answers are of
                    ``service.views``; ``acknowledged`` says that the client heeds ``protected``;
                    raises UnknownHousehold for none and for not-for-you alike
``search``          ``search(context, caller, purpose, Sought, acknowledged=…) -> Found``
``directory``       ``plan(context, wanted: Wanted) -> Difference``,
                    ``apply(context, caller, wanted) -> Difference``, ``current(context)``
``tokens``          ``issue(context, caller, *, subject, scopes, days) -> Issued`` (the secret is
                    shown once), ``authenticate(context, secret, *, request, address) -> Caller``,
                    ``revoke(context, caller, token)``, ``listed(context)``
``directives``      ``record(context, caller, Draft) -> Recorded``,
                    ``withdraw(context, caller, directive) -> Recorded``
``shields``         ``record(context, caller, household, ShieldDraft)``, ``confirm(…)``,
                    ``ageing(context, caller) -> AgeingReport``
``blocks``          ``record(context, caller, household, BlockDraft)``
``closing``         ``ask(context, caller, kind, id)``, then ``approve(…)`` by somebody else
``lifts``           ``ask(context, caller, shield, LiftDraft)``, ``approve(context, caller, id)``,
                    ``use(context, caller, id, purpose, acknowledged=True) -> Lifted``, once
``emergencies``     ``ask(context, caller, household, EmergencyDraft) -> EmergencyAccess``,
                    ``approve(context, caller, id)``
``emergency_reviews``  ``review(context, caller, id, ReviewDraft)``, ``waiting(context, caller)``,
                    ``statistics(context, caller)``
``messages``        ``mine(context, caller, cursor=…, limit=…) -> Messages``
``links``           ``undo(context, caller, registration) -> str``, the new household
``access_log``      ``export(context, caller, start, until)``: pieces of a bundle,
                    ``checkpoint(context) -> str`` (signed note), ``public_key(context) -> str``
``log_search``      ``search(context, caller, LogSearch, cursor) -> LogPage``,
                    ``export(context, caller, LogSearch, form)``: pages of entries
``log_statistics``  ``statistics(context, caller, start, until) -> LogStatistics``
``health``          ``checks(settings, now=…) -> tuple[Check, ...]``, for readyz and doctor
``migration``       ``check(settings) -> State``, ``migrate(settings) -> State``
``denials``         ``record(context, caller, asked)``: a known caller was refused
``reading``         ``read_files(directory, office, layouts, files) -> Reading`` (pure)
==================  ==============================================================================

Whoever asks is a `Caller`: ``Caller.operator(name)`` for somebody at the host's shell, and what
``tokens.authenticate`` answers for everybody else. Every operation checks the caller itself, writes
its own entry to the access log in its own transaction, and answers only after that is durable.
An attacker who controls this room can do all that visitsync can do.
"""
