"""HTTP over the service: a JSON interface for offices and systems, and pages for people.

Nothing here decides what may be seen: handlers read a request, call one function of `service` and
write down its answer.
"""
